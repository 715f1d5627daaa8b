/** Leads the commands of one client to servers. */
import type { Backend } from "../backend/backend.ts";
import type { SharedServers } from "../backend/shared_servers.ts";
import { checkChoice, routeOf, type RouteReason, SERVER_VARIABLE } from "../route/route.ts";
import { type SessionState, textOf, Unread } from "../state/session_state.ts";
import { assignmentOf } from "../state/user_variables.ts";
import type { PlannedCommand } from "./planned_command.ts";

export class SessionRoute {
  /** Of the last command that was not bound to a server session. */
  reason: RouteReason = "first healthy server";
  readonly #servers: SharedServers;
  /** What the variable said when it was last known. */
  #chosen: string | undefined;

  constructor(servers: SharedServers) {
    this.#servers = servers;
  }

  /**
   * @param last where the command must go to find what the last one has left
   * @returns the only server that will do; undefined for whichever serves, the preferred one first
   * @throws {SluiceError} unknown_server
   */
  choose(
    command: PlannedCommand | undefined,
    wanted: SessionState | undefined,
    last?: Backend,
  ): Backend | undefined {
    const hint = command?.classified.server;
    const value = wanted?.userVariables.get(SERVER_VARIABLE);
    const sets = command !== undefined && setsServer(command);
    if (hint === undefined && value === undefined && last === undefined && !sets) {
      // Nearly always: nothing is made on the way.
      this.reason = "first healthy server";
      return undefined;
    }
    const { backends } = this.#servers;
    // What has no text is what was set last, as far as anybody knows before it is read.
    const isKnown = !(value instanceof Unread) || value.text !== undefined;
    const text = textOf(value);
    if (isKnown && text !== undefined) this.#chosen = assignmentOf(text).text || undefined;
    // Whatever the variable is now, it can be set to something else.
    const chosen = sets ? undefined : this.#chosen;
    if (sets) this.#set(command);
    const { server, reason } = routeOf({ last, hint, chosen, servers: backends });
    this.reason = reason;
    return server;
  }

  #set({ classified }: PlannedCommand): void {
    for (const { name, literal } of classified.userVariables) {
      if (name !== SERVER_VARIABLE) continue;
      checkChoice(literal, this.#servers.backends);
      this.#chosen = literal;
    }
  }
}

function setsServer({ classified }: PlannedCommand): boolean {
  const { userVariables } = classified;
  return userVariables.length > 0 && userVariables.some(({ name }) => name === SERVER_VARIABLE);
}
