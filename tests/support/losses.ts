/** What tests of losses with real and with scripted servers have in common. */

/** How the client is told that its server session is lost. */
export const LOST = /^Lost connection to server 127\.0\.0\.1:\d+ /;

/** Statements for the administrator of a real server: an account, and a table to write to. */
export const LOSS_TABLE: readonly string[] = [
  "CREATE USER app@'%' IDENTIFIED BY 'secret'",
  "GRANT ALL ON *.* TO app@'%'",
  "CREATE DATABASE one",
  "CREATE TABLE one.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
];
