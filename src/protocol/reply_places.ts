/** Where in the reply to a command a server session can be. */
import { Status } from "./constants.ts";
import type { ReplyShape } from "./replies.ts";

/** Places in a reply. The names are what error messages print. */
export const Place = {
  DONE: 0,
  RESULT: 1,
  COLUMNS: 2,
  COLUMNS_END: 3,
  ROWS: 4,
  STATUS: 5,
  TEXT: 6,
  COLUMN_LIST: 7,
  PREPARED: 8,
  PARAMETERS: 9,
  PARAMETERS_END: 10,
  PREPARED_COLUMNS: 11,
  PREPARED_COLUMNS_END: 12,
  AUTH: 13,
  STREAM: 14,
  OPENING: 15,
  TUNNEL: 16,
} as const;
export type Place = (typeof Place)[keyof typeof Place];

export const PLACE_NAMES = Object.entries(Place).reduce<string[]>((names, [name, place]) => {
  names[place] = name.toLowerCase().replace("_", " ");
  return names;
}, []);

export const FIRST_PLACE: Record<ReplyShape, Place> = {
  none: Place.DONE,
  status: Place.STATUS,
  text: Place.TEXT,
  results: Place.RESULT,
  columns: Place.COLUMN_LIST,
  prepare: Place.PREPARED,
  rows: Place.ROWS,
  auth: Place.AUTH,
  stream: Place.STREAM,
  tunnel: Place.OPENING,
};

/**
 * Both on the EOF before a row of OUT parameters say that an OK follows. MySQL repeats neither on
 * the EOF behind the row; OceanBase sets only the first, and there no OK follows.
 */
export const OUT_PARAMETERS = Status.PS_OUT_PARAMS | Status.MORE_RESULTS_EXISTS;
