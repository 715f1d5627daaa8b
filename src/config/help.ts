import { FLAGS, flagTexts } from "./flags.ts";

/** The two ways to begin, for the help and for a start that finds no configuration. */
export const STARTING_POINTS = `Start at once, without a file:
  sluice --listen 127.0.0.1:2883 --server 127.0.0.1:3306 --user app:secret
Or make a file to start from, and change the servers and accounts in it:
  sluice --print-config > sluice.toml
`;

/** What `--help` prints. */
export function helpText(): string {
  const names = flagTexts();
  const width = Math.max(...names.map((name) => name.length));
  const flags = FLAGS.map((row, index) => `  ${(names[index] ?? "").padEnd(width)}  ${row.help}`);
  return `sluice: a proxy between MySQL clients and OceanBase, MySQL and MariaDB servers

Usage:
  sluice [--config FILE] [--check] [--print-config] [--version] [--help]
  sluice [--listen HOST:PORT] --server HOST:PORT --user NAME:PASSWORD

Flags (--listen, --server and --user may repeat):
${flags.join("\n")}

Without --config and --server the configuration is the first that exists of
  $SLUICE_CONFIG, ./sluice.toml, $XDG_CONFIG_HOME/sluice/sluice.toml
  (~/.config/sluice/sluice.toml), /etc/sluice/sluice.toml

${STARTING_POINTS}`;
}
