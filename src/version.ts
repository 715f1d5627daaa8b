/** The version that `--version`, logs and statements show. */
export const VERSION = "0.1.0";
