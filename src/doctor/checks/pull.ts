import { withoutSecret } from "../../auth/credential.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import type { ErrorCode } from "../../oci/error.ts";
import { bareMediaType, manifestAccept } from "../../oci/media-types.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Req } from "../../transport/transport.ts";
import { ask, type Answer } from "../ask.ts";
import { blameAnswer, evidenceAt, wordsOf } from "../blame.ts";
import type { Bench } from "../context.ts";
import { fault, fine, skipped, warning, type Diagnosis, type Step } from "../diagnosis.ts";
import type { Place } from "../place.ts";
import { refusalRules } from "../rules/answers.ts";
import { fill } from "../rules/rule.ts";
import { serviceRules } from "../rules/services.ts";
import { userOf } from "./credential.ts";
import type { Login } from "../token.ts";

/** What was read as a pull would. */
export interface Pulled {
  /** Of the repository or, where none is named, of `/v2/`. */
  readonly answer: Answer;
  /** Of the manifest, where one was named. */
  readonly digest?: Digest;
}

/** Whether the place may be read: the manifest by HEAD, or the list of tags where none is named. */
export async function checkPull(place: Place, login: Login, bench: Bench): Promise<Step<Pulled>> {
  const { reference, host } = place;
  if (!reference) {
    const unnamed = skipped("pull", "no repository was named", {
      host,
      command: `gantry doctor ${place.name}/REPOSITORY`,
    });
    return { told: [unnamed], known: { answer: login.api.answer } };
  }
  const { repository, tag, digest } = reference;
  const ref = digest ?? tag;
  const path = ref === undefined ? "tags/list?n=2" : `manifests/${ref}`;
  const request: Pick<Req, "method" | "url" | "headers"> = {
    method: ref === undefined ? "GET" : "HEAD",
    url: new URL(`https://${host}/v2/${repository}/${path}`),
    headers: ref === undefined ? {} : { accept: manifestAccept },
  };
  const answer = await ask(bench.transport, request, bench);
  if (answer.status === 200) {
    const { told, found } = read(place, ref, answer);
    return told.verdict === "fault"
      ? { told: [told] }
      : { told: [told], known: { answer, ...(found && { digest: found }) } };
  }
  if (ref === undefined) return { told: [refused("pull", place, login, answer)] };
  // The answer to HEAD has no words, and some registries refuse HEAD alone.
  const got = await ask(bench.transport, { ...request, method: "GET" }, bench);
  if (got.status !== 200) return { told: [refused("pull", place, login, got)] };
  if (!headRefused.includes(answer.status)) return { told: [refused("pull", place, login, answer)] };
  const unheaded = warning("pull", `HEAD of a manifest is refused: ${answer.status}`, {
    host,
    status: answer.status,
    cause: "the registry, or a proxy before it, lets GET through alone: each look at a tag counts as a pull",
  });
  const { told, found } = read(place, ref, got);
  return told.verdict === "fault"
    ? { told: [told] }
    : { told: [told, unheaded], known: { answer: got, ...(found && { digest: found }) } };
}

/** Statuses after which commands try GET. */
const headRefused: readonly number[] = [400, 403, 405, 406, 501];

function read(place: Place, ref: string | undefined, { headers }: Answer): { told: Diagnosis; found?: Digest } {
  const { host } = place;
  if (ref === undefined) return { told: fine("pull", "its tags may be read", { host }) };
  const type = plainText(bareMediaType(headers["content-type"])).slice(0, 100);
  if (type === "text/html") {
    const told = fault("pull", `${place.name} is a web page`, {
      code: "NETWORK",
      host,
      cause: "what answers there is not a registry, or a page that this network puts before it",
    });
    return { told };
  }
  const given = headers["docker-content-digest"] ?? "";
  const found = isDigest(given) ? given : isDigest(ref) ? ref : undefined;
  return {
    told: fine("pull", `it may be pulled: ${found ?? "no digest told"}, ${type}`, { host }),
    ...(found && { found }),
  };
}

const codes: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  405: "UNSUPPORTED",
  429: "TOOMANYREQUESTS",
};

/** A refusal in a repository, told by the service's own words where they are known. */
export function refused(
  check: "pull" | "push",
  place: Place,
  { api: { service }, credential }: Login,
  answer: Answer,
): Diagnosis {
  const { status } = answer;
  const user = userOf(credential);
  const known = { ...(service && { service: service.name }), ...(user !== undefined && { user }) };
  const words = withoutSecret(wordsOf(answer), credential);
  const found = blameAnswer(check, answer, place, {
    rules: [...serviceRules, ...refusalRules],
    message: `${place.name} may not be ${check === "pull" ? "read" : "written to"}: ${status}${words && ` ${words}`}`,
    code: codes[status] ?? (status === 404 ? absent(words, check, place) : status >= 500 ? "UNAVAILABLE" : "UNKNOWN"),
    ...known,
  });
  const told = status === 404 ? { ...found, message: `${place.name} is not there: 404${words && ` ${words}`}` } : found;
  if (told.cause !== undefined || (status !== 401 && status !== 403)) return told;
  const evidence = evidenceAt(check, place);
  const command = fill(service?.login?.command ?? "gantry login {registry}", evidence);
  const cause = credential
    ? "this account may not do that, or the repository does not exist: registries hide the difference"
    : "nobody is logged in, or the repository does not exist: registries hide the difference";
  return { ...told, cause, command };
}

function absent(words: string, check: "pull" | "push", { reference }: Place): ErrorCode {
  const named = check === "pull" && (reference?.tag ?? reference?.digest) !== undefined;
  return named && !/NAME_UNKNOWN/.test(words) ? "MANIFEST_UNKNOWN" : "NAME_UNKNOWN";
}
