import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { objectsIn, textOf } from "../answers.ts";
import { messageIn } from "../api-error.ts";
import type { ApiFault, JsonAnswer } from "../json-api.ts";
import type { Login } from "./login.ts";

const registryLogin =
  "this login is for the registry alone, as deploy tokens are: log in with a project access token with the scope api";
const jobToken = "a CI job token may do little: log in with a project access token with the scope api";

/** What GitLab means by an answer that is none that was hoped for, and the way out. */
export function faultOf({ status, body }: JsonAnswer, kind: Login["kind"]): ApiFault | undefined {
  const said = isObject(body) ? body : {};
  // Some messages are objects: what is wrong with each attribute.
  const message = messageIn(body) ?? (isObject(said["message"]) ? textOf(JSON.stringify(said["message"])) : undefined);
  if (said["error"] === "insufficient_scope") {
    const scope = textOf(said["scope"])?.replaceAll(" ", " or ");
    return { code: "DENIED", message, hint: `the token lacks the scope ${scope ?? "api"}` };
  }
  const hint = hintFor(status, kind);
  return { message, ...(hint !== undefined && { hint }) };
}

function hintFor(status: number, kind: Login["kind"]): string | undefined {
  if (status !== 401 && status !== 403 && status !== 404) return undefined;
  if (kind === "registry") return registryLogin;
  if (kind === "job") return jobToken;
  if (kind === "none") return "log in with a token with the scope read_api, or api to change something";
  if (status === 401) {
    return "the API takes a personal, group or project access token that has not expired, and no password";
  }
  return status === 403
    ? "a protection rule keeps it, or the role in the project is too low for that"
    : "or this login may not see it";
}

/** The error in an answer by GraphQL, where the status is 200 whatever happens. */
export function queryFault(answer: unknown, what: string, host: string): RegistryError | undefined {
  const [first] = isObject(answer) ? objectsIn(answer["errors"]) : [];
  if (!first) return undefined;
  const message = textOf(first["message"]) ?? "it says no more";
  const isOld = /doesn't exist on type|isn't a defined input type|doesn't accept argument/.test(message);
  const isDenied = /don't have permission|does not exist/.test(message);
  return new RegistryError(
    isOld ? "UNSUPPORTED" : isDenied ? "DENIED" : "UNKNOWN",
    `cannot ${what}: GitLab answered: ${message}`,
    {
      host,
      ...(isOld && { hint: "this GitLab is too old for that, or has no licence for it" }),
      ...(isDenied && { hint: "that takes the role of Maintainer in the project, or of Owner" }),
    },
  );
}

/** The error for a login that GraphQL does not take. */
export function noQueries(kind: Login["kind"], what: string, host: string): RegistryError | undefined {
  if (kind !== "job" && kind !== "registry") return undefined;
  return new RegistryError("DENIED", `cannot ${what} with this login for ${host}`, {
    host,
    hint: kind === "job" ? jobToken : registryLogin,
  });
}
