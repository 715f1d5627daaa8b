/**
 * The server's role of a login: greeting, login request, authentication, and where the login leads.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
import { sharingOf } from "../config/sharing.ts";
import type { SharingMode } from "../config/types.ts";
import type { Cluster, ServerProfile, ServerRequest } from "../backend/cluster.ts";
import { SluiceError } from "../errors.ts";
import { logDebug, logsDebug } from "../log.ts";
import { attributeOf, passedAttributes } from "../protocol/attributes.ts";
import {
  isSpoken,
  type LoginKey,
  NATIVE,
  type PluginName,
  ServerAuth,
  type ServerStep,
  SHA2,
} from "../protocol/auth.ts";
import { type Capabilities, chosenByClient, offeredToClients } from "../protocol/capabilities.ts";
import { Capability, Status } from "../protocol/constants.ts";
import {
  decodeChangeUser,
  decodeLogin,
  encodeGreeting,
  isTlsRequest,
  type Login,
  loginCapabilities,
} from "../protocol/handshake.ts";
import { encodeOk, plainOk } from "../protocol/response.ts";
import { type Account, NOBODY } from "./accounts.ts";
import type { Identity } from "../admin/scope.ts";
import type { ClientTalk } from "./client_talk.ts";
import type { SessionContext } from "./context.ts";
import { type LoginName, parseLoginName } from "./login_name.ts";
import { makeNonce } from "./nonce.ts";
import { identityOf, isProxysys } from "./proxysys.ts";

/** Who is at the other end, for refusals and for the account. */
export interface Peer {
  /** `cs_id`, which the greeting carries as thread id. */
  readonly id: number;
  /** Address without port, as it stands in `'user'@'host'`. */
  readonly host: string;
  /** Told the name as soon as the client has said it, for the log of what comes of it. */
  onName(user: string): void;
}

/** What a login request or COM_CHANGE_USER asks for. */
interface Asked {
  readonly user: string;
  readonly schema: string;
  readonly charset: number;
  readonly maxPacketSize: number;
  /** A copy of its own, fit for servers. */
  readonly attributes: Uint8Array;
  readonly capabilities: Capabilities;
}

/** Where a login name leads, before the password has been looked at. */
interface Destination {
  readonly name: LoginName;
  readonly cluster: Cluster;
  readonly account: Account;
  /** Why it leads nowhere, for the log: clients are told of a wrong password alone. */
  readonly unknown: string | undefined;
}

/** A client that has proven who it is. The OK has not been sent yet. */
export interface ClientLogin {
  readonly name: LoginName;
  readonly identity: Identity;
  readonly asked: Omit<Asked, "user" | "schema">;
  /** Needed again only by clients that know no authentication switch. */
  readonly nonce: Uint8Array | undefined;
  /** Undefined for the proxy's own accounts, which reach no server. */
  readonly servers: ServerUse | undefined;
}

/** Where a client's statements go. */
export interface ServerUse {
  readonly cluster: Cluster;
  /** What its server sessions are opened with. */
  readonly request: Omit<ServerRequest, "signal">;
  readonly sharing: SharingMode;
  /** Most sessions of the account, where it has a limit of its own. */
  readonly maxConnections: number | undefined;
}

/** @throws {SluiceError} where the client is refused; other errors where the connection fails */
export async function receiveLogin(
  port: ClientTalk,
  peer: Peer,
  context: SessionContext,
): Promise<ClientLogin> {
  const profile = await context.defaultCluster.profile();
  const offered = offeredToClients(profile.capabilities, context.isAnythingShared);
  const nonce = makeNonce();
  const announced = pluginFor("", context, profile);
  await port.write(encodeGreeting({
    serverVersion: context.config.serverVersion || profile.serverVersion,
    threadId: peer.id,
    capabilities: offered.base,
    extendedCapabilities: offered.extended,
    charset: profile.charset,
    status: Status.AUTOCOMMIT,
    authData: nonce,
    authPlugin: announced,
  }));
  const login = readLogin(await port.read());
  peer.onName(login.user);
  const name = parseLoginName(login.user);
  if (!isProxysys(name)) {
    context.limits.refuseWhenFull(context.manager.clients.size);
  }
  const asked = {
    user: login.user,
    schema: login.database,
    charset: login.charset,
    maxPacketSize: login.maxPacketSize,
    attributes: passedAttributes(login.attributes),
    capabilities: chosenByClient(
      { base: trueCapabilities(login), extended: login.extendedCapabilities },
      offered,
    ),
  };
  const destination = findDestination({ text: login.user, name }, peer, context);
  const auth = serverAuth(nonce, destination, announced);
  const canSwitch = (asked.capabilities.base & Capability.PLUGIN_AUTH) !== 0;
  const named = canSwitch ? login.authPlugin : "";
  let asking: PluginName | undefined;
  if (canSwitch && named !== NATIVE) asking = easierPlugin(destination);
  else if (canSwitch && await mustShowPassword(destination)) asking = SHA2;
  const first = asking === undefined
    ? auth.start(named, login.authResponse)
    : auth.switchTo(asking);
  const { unknown } = destination;
  const key = await authenticate(port, auth, { first, user: asked.user, peer, unknown, context });
  return admit(asked, destination, { key, nonce: canSwitch ? undefined : nonce, peer });
}

/** What a session keeps of its login for a change of user. */
export interface Changing {
  readonly payload: Uint8Array;
  readonly current: ClientLogin;
  readonly peer: Peer;
}

/**
 * COM_CHANGE_USER: the same checks with a fresh nonce, which an authentication switch carries.
 * @throws as {@link receiveLogin}
 */
export async function receiveChangeUser(
  port: ClientTalk,
  { payload, current, peer }: Changing,
  context: SessionContext,
): Promise<ClientLogin> {
  const { nonce: kept, asked: before } = current;
  const { capabilities, maxPacketSize } = before;
  const change = decodeChangeUser(payload, capabilities.base);
  const asked = {
    user: change.user,
    schema: change.database,
    charset: change.charset === 0 ? before.charset : change.charset & 0xff,
    maxPacketSize,
    attributes: passedAttributes(change.attributes),
    capabilities,
  };
  const said = { text: change.user, name: parseLoginName(change.user) };
  const destination = findDestination(said, peer, context);
  const profile = await context.defaultCluster.profile();
  const plugin = await mustShowPassword(destination)
    ? SHA2
    : pluginFor(change.authPlugin, context, profile);
  const auth = serverAuth(kept ?? makeNonce(), destination, plugin);
  const first = kept === undefined ? auth.switchTo(plugin) : auth.start("", change.authResponse);
  const { unknown } = destination;
  const key = await authenticate(port, auth, { first, user: asked.user, peer, unknown, context });
  return admit(asked, destination, { key, nonce: kept, peer });
}

/** The plugin that a client named, or else the one that the proxy asks with. */
function pluginFor(named: string, { config }: SessionContext, profile: ServerProfile): PluginName {
  if (isSpoken(named)) return named;
  if (config.defaultAuthenticationPlugin !== "server") return config.defaultAuthenticationPlugin;
  // Drivers choose by the version that they are told: it must fit the plugin, as the server's does.
  return profile.authPlugin === NATIVE ? NATIVE : SHA2;
}

/**
 * The plugin to ask with in place of caching_sha2_password where the proxy's own accounts have but a
 * hash, of which a native answer is enough: no server will ask for more, and not every client trusts
 * the proxy's RSA key with the password itself.
 */
function easierPlugin({ name, account }: Destination): PluginName | undefined {
  const { isEmpty, sha256Twice } = account.verifier;
  return isProxysys(name) && !isEmpty && sha256Twice === undefined ? NATIVE : undefined;
}

/**
 * A native answer shows SHA1(password), with which nobody logs in to a server that wants more.
 * Servers are asked only where that matters.
 */
function mustShowPassword({ account, cluster }: Destination): boolean | Promise<boolean> {
  return account.serverKey === undefined && wantsPassword(cluster);
}

async function wantsPassword(cluster: Cluster): Promise<boolean> {
  return (await cluster.profile()).authPlugin !== NATIVE;
}

function serverAuth(
  nonce: Uint8Array,
  { account }: Destination,
  announced: PluginName,
): ServerAuth {
  return new ServerAuth({ nonce, verifier: account.verifier, announced });
}

function readLogin(payload: Uint8Array): Login {
  const capabilities = loginCapabilities(payload);
  if (capabilities === undefined || (capabilities & Capability.SECURE_CONNECTION) === 0) {
    throw new SluiceError(
      "old_client",
      "Client does not support authentication protocol requested by server; consider upgrading " +
        "MySQL client",
    );
  }
  if (isTlsRequest(payload)) {
    throw new SluiceError("bad_handshake", "Bad handshake: TLS was asked for and is not offered");
  }
  return decodeLogin(payload);
}

/** OceanBase's drivers mean something of their own by the bit of query attributes, and send none. */
function trueCapabilities({ capabilities, attributes }: Login): number {
  if ((capabilities & Capability.QUERY_ATTRIBUTES) === 0) return capabilities;
  const isOceanBase = attributeOf(attributes, "__ob_client_name") !== undefined;
  return isOceanBase ? (capabilities & ~Capability.QUERY_ATTRIBUTES) >>> 0 : capabilities;
}

/** A whole login name that is configured as it stands wins over its parts. */
function findDestination(
  { text, name: own }: { readonly text: string; readonly name: LoginName },
  peer: Peer,
  context: SessionContext,
): Destination {
  if (isProxysys(own)) {
    const account = context.proxysys.find({ name: own, host: peer.host, config: context.config });
    const unknown = account !== NOBODY
      ? undefined
      : identityOf(own) === "ordinary"
      ? "unknown account of proxysys"
      : `no login from ${peer.host} for this account`;
    return { name: own, cluster: context.defaultCluster, account, unknown };
  }
  const plain = { user: text, tenant: "", cluster: "" };
  const whole = context.account(plain);
  const name = whole === undefined ? own : plain;
  const cluster = name.cluster === "" ? context.defaultCluster : context.cluster(name.cluster);
  if (cluster === undefined) {
    const unknown = `unknown cluster ${name.cluster}`;
    return { name, cluster: context.defaultCluster, account: NOBODY, unknown };
  }
  if (!hasTenant(cluster, name.tenant)) {
    const unknown = `unknown tenant ${name.tenant} of cluster ${cluster.config.name}`;
    return { name, cluster, account: NOBODY, unknown };
  }
  const account = whole ?? context.account(name);
  const unknown = account === undefined ? "unknown account" : undefined;
  return { name, cluster, account: account ?? NOBODY, unknown };
}

/** OceanBase clusters know their tenants themselves. */
function hasTenant(cluster: Cluster, tenant: string): boolean {
  return tenant === "" || cluster.config.kind === "oceanbase" ||
    cluster.tenant(tenant) !== undefined;
}

/**
 * Moves the packets of an authentication.
 * @returns what it revealed
 * @throws {SluiceError} where the password is wrong
 */
async function authenticate(
  port: ClientTalk,
  auth: ServerAuth,
  options: {
    readonly first: ServerStep;
    readonly user: string;
    readonly peer: Peer;
    readonly unknown: string | undefined;
    readonly context: SessionContext;
  },
): Promise<LoginKey | undefined> {
  let step = options.first;
  while (true) {
    switch (step.kind) {
      case "send":
        await port.write(step.payload);
        step = auth.next(await port.read());
        break;
      case "need_rsa_key":
        step = auth.useRsaKey(await options.context.rsaKey());
        break;
      case "refused":
        throw accessDenied(options, step.usingPassword);
      case "accepted":
        if (step.payload !== undefined) port.queue(step.payload);
        return step.key;
    }
  }
}

function accessDenied(
  { user, peer, unknown }: {
    readonly user: string;
    readonly peer: Peer;
    readonly unknown: string | undefined;
  },
  usingPassword: boolean,
): SluiceError {
  const using = usingPassword ? "YES" : "NO";
  return new SluiceError(
    "access_denied",
    `Access denied for user '${user}'@'${peer.host}' (using password: ${using})`,
    { cause: unknown ?? (usingPassword ? "wrong password" : "no password") },
  );
}

function admit(
  asked: Asked,
  { name, cluster, account, unknown }: Destination,
  proven: {
    readonly key: LoginKey | undefined;
    readonly nonce: Uint8Array | undefined;
    readonly peer: Peer;
  },
): ClientLogin {
  if (proven.key !== undefined) account.learn(proven.key);
  const identity = identityOf(name);
  const { nonce } = proven;
  if (isProxysys(name) && account !== NOBODY) {
    return { name, identity, asked, nonce, servers: undefined };
  }
  const key = account.serverKey ?? proven.key;
  if (account === NOBODY || key === undefined) {
    throw accessDenied({ user: asked.user, peer: proven.peer, unknown }, true);
  }
  const tenant = name.tenant === "" ? undefined : cluster.tenant(name.tenant);
  const isOceanBaseTenant = cluster.config.kind === "oceanbase" && name.tenant !== "";
  const ownUser = isOceanBaseTenant ? `${name.user}@${name.tenant}` : name.user;
  const { maxConnections } = account;
  const sharing = sharingOf(cluster.config, tenant, account);
  const login = {
    user: account.serverUser ?? ownUser,
    key,
    schema: asked.schema || tenant?.schema || "",
    charset: asked.charset,
    maxPacketSize: asked.maxPacketSize,
    capabilities: asked.capabilities,
    attributes: asked.attributes,
  };
  return {
    name,
    identity,
    // It has all that is asked again, and is kept anyway.
    asked: login,
    nonce,
    servers: { cluster, request: { tenant, login }, sharing, maxConnections },
  };
}

/** Sends the OK that ends a login. */
export function sendLoginOk(port: ClientTalk, login: ClientLogin, peer: Peer): Promise<void> {
  if (logsDebug()) tellLogin(login, peer);
  return port.write(encodeOk(plainOk(Status.AUTOCOMMIT), login.asked.capabilities.base));
}

function tellLogin({ name, servers }: ClientLogin, { id, host }: Peer): void {
  logDebug("client logged in", {
    cs_id: id,
    user: name.user,
    tenant: name.tenant || undefined,
    cluster: servers?.cluster.config.name,
    host,
    sharing: servers?.sharing,
  });
}
