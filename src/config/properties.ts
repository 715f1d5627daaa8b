import type { SectionValues } from "./schema.ts";
import type { ProxyConfig } from "./types.ts";

/** The property of the configuration that each key of `[proxy]` becomes. */
export const PROXY_PROPERTIES = {
  "listen": "listen",
  "proxy_id": "proxyId",
  "client_max_connections": "clientMaxConnections",
  "user_max_connections": "userMaxConnections",
  "tenant_max_connections": "tenantMaxConnections",
  "login_timeout": "loginTimeout",
  "default_inactivity_timeout": "defaultInactivityTimeout",
  "connect_timeout": "connectTimeout",
  "shutdown_grace": "shutdownGrace",
  "default_cluster": "defaultCluster",
  "default_authentication_plugin": "defaultAuthenticationPlugin",
  "mysql_version": "serverVersion",
  "rsa_private_key_file": "rsaPrivateKeyFile",
  "obproxy_sys_password": "obproxySysSecret",
  "obproxy_sys_password_file": "obproxySysSecret",
  "obproxy_sys_password_env": "obproxySysSecret",
  "obproxy_sys_password_hash": "obproxySysSecret",
  "inspector_password": "inspectorSecret",
  "inspector_password_file": "inspectorSecret",
  "inspector_password_env": "inspectorSecret",
  "inspector_password_hash": "inspectorSecret",
  "skip_proxy_sys_private_check": "skipProxySysPrivateCheck",
  "client_session_id_version": "clientSessionIdVersion",
  "internal_cmd_mem_limited": "internalCmdMemLimited",
} as const satisfies Record<keyof SectionValues<"proxy">, keyof ProxyConfig>;
