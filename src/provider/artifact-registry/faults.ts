import { isObject } from "../../oci/descriptor.ts";
import { plainText } from "../../store/remote/answer.ts";
import { messageIn } from "../api-error.ts";
import type { ApiFault, JsonAnswer } from "../json-api.ts";

/** What an error of Google's says of itself beside its text (google.rpc.ErrorInfo). */
interface Told {
  readonly reason?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Which of Google's roles has a permission, the weakest first. */
const roles: readonly (readonly [permission: RegExp, role: string])[] = [
  [/^containeranalysis\./, "roles/containeranalysis.occurrences.viewer"],
  [/\.repositories\.(?:create|update|delete)$/, "roles/artifactregistry.admin"],
  [/\.(?:delete|deleteArtifacts)$/, "roles/artifactregistry.repoAdmin"],
  [/\.createOnPush$/, "roles/artifactregistry.createOnPushWriter"],
  [/\.(?:uploadArtifacts|create|update)$/, "roles/artifactregistry.writer"],
  [/^artifactregistry\./, "roles/artifactregistry.reader"],
];

/** What an answer of Google's APIs or of its registry means that is none that was hoped for. */
export function faultOf({ status, body }: JsonAnswer): ApiFault | undefined {
  const raw = messageIn(body);
  const message = raw === undefined ? undefined : plainText(raw);
  const { reason, metadata } = toldBy(body);
  const say = (hint: string, code?: ApiFault["code"]): ApiFault => ({ message, hint, ...(code && { code }) });
  if (reason === "SERVICE_DISABLED") return say(enabling(metadata), "DENIED");
  if (reason === "ACCESS_TOKEN_SCOPE_INSUFFICIENT") {
    return say("the token is for less than cloud-platform: have this machine or login given that scope", "DENIED");
  }
  if (status === 401 || /unauthenticated request/i.test(message ?? "")) {
    return say("log in again: the token has expired, or is none of Google's", "UNAUTHORIZED");
  }
  const permission = permissionIn(metadata, message);
  if (status === 403 && permission !== undefined) {
    const role = roles.find(([pattern]) => pattern.test(permission))?.[1];
    return say(
      `the account lacks ${permission}${role === undefined ? "" : `, which ${role} has`}; or the project, location or repository is not there`,
      "DENIED",
    );
  }
  if (status === 429) return say("the project's quota for this minute is used up: try later, with fewer at once");
  if (/location/i.test(message ?? "") && (status === 400 || status === 404)) {
    return say("the host names the location: LOCATION-docker.pkg.dev; see `gcloud artifacts locations list`");
  }
  return message === undefined ? undefined : { message };
}

function toldBy(body: unknown): Told {
  const error = isObject(body) && isObject(body["error"]) ? body["error"] : {};
  const details: readonly unknown[] = Array.isArray(error["details"]) ? error["details"] : [];
  const info = details.filter(isObject).find(({ reason }) => typeof reason === "string");
  const metadata = info && isObject(info["metadata"]) ? info["metadata"] : {};
  return { ...(info && { reason: info["reason"] as string }), metadata };
}

function permissionIn(metadata: Told["metadata"], message = ""): string | undefined {
  const { permission } = metadata;
  const told = typeof permission === "string" ? permission : /permission ['"]([^'"]+)['"]/i.exec(message)?.[1];
  return told !== undefined && /^[\w.]{1,100}$/.test(told) ? told : undefined;
}

function enabling({ service, consumer, activationUrl }: Told["metadata"]): string {
  const text = (value: unknown, pattern: RegExp): string | undefined =>
    typeof value === "string" ? pattern.exec(value)?.[1] : undefined;
  const name = text(service, /^([\w.-]+\.googleapis\.com)$/) ?? "artifactregistry.googleapis.com";
  const project = text(consumer, /^projects\/([\w.:-]+)$/);
  const page = text(activationUrl, /^(https:\/\/console\.[\w.-]*(?:google|cloud)\.com\/[\w./?=&:%-]+)$/);
  const command = `gcloud services enable ${name}${project === undefined ? "" : ` --project ${project}`}`;
  return `have the API switched on: \`${command}\`${page === undefined ? "" : `, or ${page}`}`;
}
