/**
 * What a relay is doing; what it is told means different things in different modes.
 * - `talking`: the owner talks to the client itself
 * - `idle`: waits for a command
 * - `acquiring`: a command waits for a server session
 * - `sending`: a command goes to the server
 * - `replying`: its reply goes to the client
 * - `answering`: the proxy makes a reply of its own, and sends it
 * - `draining`: a command that cannot be done is read to its end, to be answered with ERR
 * - `ending`: the last packet is on its way
 */
export type RelayMode =
  | "talking"
  | "idle"
  | "acquiring"
  | "sending"
  | "replying"
  | "answering"
  | "draining"
  | "ending"
  | "closed";
