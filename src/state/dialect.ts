/** Kinds of servers, where what is known of sessions differs between them. */
export type Dialect = "mysql" | "mariadb" | "oceanbase";
