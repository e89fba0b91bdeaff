import { fileError } from "../../files/file-error.ts";
import { apiHost, isAbsent, isRegistryError, parseLocation, RegistryError, type ErrorCode } from "../../index.ts";
import { hostOf, mayBeImage } from "../host-or-image.ts";
import { fields } from "./table.ts";
import { paint, plain, safeJson, type Look } from "./text.ts";

/** What was being done when an error came up. */
export interface Attempt {
  /** The command's name, where one was recognised. */
  readonly command?: string;
  /** The words after `gantry`, without credentials. */
  readonly words: readonly string[];
  /** Those of them that name images. */
  readonly references: readonly string[];
  /** Those of them at which there is a file or directory. */
  readonly files?: readonly string[];
  /** Those of them that name a local place at which nothing is, and where that would be. */
  readonly missing?: readonly { readonly word: string; readonly path: string }[];
  /** What the service that the host belongs to takes for a login; `{registry}` in the command stands for the registry. */
  readonly login?: { readonly title: string; readonly cause: string; readonly command?: string };
}

/** An error as people and programs are told of it. */
export interface Explained {
  readonly code: ErrorCode;
  readonly message: string;
  readonly tried?: string;
  readonly side?: "source" | "destination";
  readonly host?: string;
  /** The proxy between, where the trouble is its own or may be. */
  readonly proxy?: string;
  readonly status?: number;
  /** Where the credential was found that was refused. */
  readonly credential?: string;
  /** The likely cause. */
  readonly likely?: string;
  /** The way out, in a sentence. */
  readonly hint?: string;
  /** A command to run next. */
  readonly next?: string;
}

/** Turns whatever was thrown into a RegistryError: failed system calls and interruptions are told as what they are. */
export function asRegistryError(error: unknown): RegistryError {
  if (isRegistryError(error)) return error;
  if (!(error instanceof Error)) return new RegistryError("UNKNOWN", String(error));
  if (error.name === "AbortError") return new RegistryError("ABORTED", "interrupted", { cause: error });
  const told = fileError(error);
  if (isRegistryError(told)) return told;
  return new RegistryError("UNKNOWN", `internal error: ${error.message}`, {
    cause: error,
    hint: "this is a mistake in Gantry: run it again with GANTRY_DEBUG=1 and report what that says",
  });
}

/** Says of an error what was tried, where, what came back, why that may be, and what to do. */
export function explain(error: RegistryError, attempt: Attempt): Explained {
  const { code, message, side, status, credential } = error;
  const hint = localHint(error, attempt) ?? error.hint;
  const place = placeOf(error, attempt.references);
  const host = error.host ?? (code === "MANIFEST_UNKNOWN" ? place?.registry : undefined);
  // What says its own way out about something missing, or no registry had a word in, knows better than a table; so does
  // what a service's own API wants a login for, which is often not the registry's.
  const isForeign = code === "UNAUTHORIZED" && status !== 401 && credential === undefined;
  const isOurs = code === "CONFLICT" || code === "REFUSED" || (code === "DENIED" && status === undefined) || isForeign;
  const told = hint !== undefined && (isAbsent(error) || isOurs);
  const { login } = attempt;
  const cause =
    code === "UNAUTHORIZED" && login && credential === undefined ? `${login.title}: ${login.cause}` : causes[code];
  const likely = !told && !error.proxy && (place || error.host) ? cause : undefined;
  const next = told ? undefined : nextCommand(error, attempt);
  return {
    code,
    message,
    ...(attempt.command && code !== "INVALID" && code !== "ABORTED" && { tried: commandLine(attempt.words) }),
    ...(side && attempt.references.length > 1 && { side }),
    ...(host && { host }),
    ...(error.proxy && { proxy: error.proxy }),
    ...(status && { status }),
    ...(credential !== undefined && { credential }),
    ...(likely && { likely }),
    ...(hint && { hint }),
    ...(next && { next }),
  };
}

/** A name that no registry knows may have been meant as the file of that name; no image may mean no file. */
function localHint({ code, message }: RegistryError, { files = [], missing = [] }: Attempt): string | undefined {
  const gone = missing.find(({ word }) => message.includes(word));
  if (gone) return `there is no ${/^(oci|dir):/.test(gone.word) ? "directory" : "file"} ${gone.path}`;
  const [file] = files;
  if (file === undefined || !absences.includes(code)) return undefined;
  const kinds = /\.(tar|tgz|tar\.gz)$/.test(file) ? ["oci-archive", "docker-archive"] : ["oci", "dir"];
  return `there is ${file} here: to name it, write ${kinds.map((kind) => `${kind}:${file}`).join(" or ")}`;
}

const absences: readonly ErrorCode[] = ["DENIED", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NETWORK", "UNAUTHORIZED"];

/** The lines for stderr. */
export function errorText(explained: Explained, look: Look): string {
  const { code, message, tried, side, host, status, credential, likely, hint, next } = explained;
  const answer = host && [status ?? "", code].filter(Boolean).join(" ");
  const lines: [string, string | undefined][] = [
    ["tried", tried],
    ["at", host && `${host}${side ? `, the ${side}` : ""}: ${answer}`],
    ["login", credential],
    ["likely", likely],
    ["hint", hint],
    ["next", next],
  ];
  return `${paint(look, "red", "error:")} ${plain(message)}\n${fields(lines, { ...look, color: false }, "  ")}`;
}

/** The same as one line of JSON. */
export function errorJson(explained: Explained): string {
  return `${safeJson({ error: explained })}\n`;
}

const causes: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNAUTHORIZED: "the registry wants a login, or does not accept the one it got",
  DENIED: "this account may not do that here, or the repository does not exist: registries hide the difference",
  MANIFEST_UNKNOWN: "the tag or digest was never pushed, was deleted, or is spelt otherwise",
  NAME_UNKNOWN: "the repository does not exist, is spelt otherwise, or is hidden from this account",
  BLOB_UNKNOWN: "a push broke off, or the registry has cleaned it away",
  TOOMANYREQUESTS: "a rate limit; who is logged in is often allowed more",
  TIMEOUT: "the host is overloaded, or a firewall drops what is sent to it",
  UNAVAILABLE: "the host, or a proxy before it, has trouble of its own",
  UNVERIFIED: "the content was damaged or changed, on its way or where it is stored",
  CONFLICT: "somebody else changed it at the same time",
};

/** The system's and OpenSSL's codes in a chain of causes. */
function causeCodes(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const below = error instanceof AggregateError ? error.errors.flatMap(causeCodes) : causeCodes(error.cause);
  return [...("code" in error ? [String(error.code)] : []), ...below];
}

function nextCommand(error: RegistryError, { command, words, references, login }: Attempt): string | undefined {
  const at = placeOf(error, references);
  if (error.proxy && error.host) return `curl -v --proxy ${error.proxy} https://${error.host}/v2/`;
  switch (error.code) {
    case "UNAUTHORIZED":
    case "DENIED":
      if (at && error.credential !== undefined && !command?.startsWith("auth"))
        return `gantry auth ${at.repository === at.registry ? "check" : "why"} ${at.reference}`;
      if (at && login?.command && error.code === "UNAUTHORIZED" && command !== "login")
        return login.command.replaceAll("{registry}", at.registry);
      return at && `gantry ${command === "login" ? "doctor" : "login"} ${at.registry}`;
    case "TOOMANYREQUESTS":
      return at && `gantry login ${at.registry}`;
    case "MANIFEST_UNKNOWN":
      return at && command !== "ls" ? `gantry ls ${at.repository}` : undefined;
    case "NAME_UNKNOWN":
      return at && `gantry ls ${at.registry}`;
    case "BLOB_UNKNOWN":
      return at && command !== "check" && !command?.startsWith("blob") ? `gantry check ${at.reference}` : undefined;
    case "UNVERIFIED":
      return at && command !== "check" ? `gantry check --deep ${at.reference}` : undefined;
    case "NETWORK":
      return error.host && networkCommand(error, words, at?.registry ?? error.host);
    case "TIMEOUT":
      return error.host && `gantry doctor ${at?.registry ?? error.host}`;
    case "UNAVAILABLE":
    case "CONFLICT":
    case "PARTIAL":
      return command && command !== "serve" ? commandLine(words) : undefined;
    case "INVALID":
      if (error.cause instanceof Error && "faults" in error.cause) return "gantry config validate";
      return `gantry ${command === undefined ? "" : `${command} `}--help`;
    default:
      return undefined;
  }
}

/** What to run where no answer came: the same with what the certificate or the scheme needs, or a look at the way there. */
function networkCommand(error: RegistryError, words: readonly string[], registry: string): string {
  const codes = causeCodes(error).join(" ");
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(codes)) return commandLine([...words, "--plain-http"]);
  if (/SELF_SIGNED|UNABLE_TO_/.test(codes)) return `${commandLine([...words, "--ca-file"])} FILE`;
  return `gantry doctor ${registry}`;
}

/** The image (or host alone), repository and registry that an error is about: where its host is, else the first on the line. */
function placeOf(
  error: RegistryError,
  references: readonly string[],
): { registry: string; repository: string; reference: string } | undefined {
  const places = references.flatMap((reference) => {
    const registry = hostOf(reference);
    if (registry !== undefined && (apiHost(registry) === error.host || !mayBeImage(registry)))
      return [{ registry, repository: registry, reference }];
    try {
      const location = parseLocation(reference);
      if (location.transport !== "registry") return [];
      const { registry, repository } = location.reference;
      return [{ registry, repository: `${registry}/${repository}`, reference }];
    } catch {
      return [];
    }
  });
  const ordered = error.side === "destination" ? places.toReversed() : places;
  const named = ordered.find(({ registry }) => registry === error.host || apiHost(registry) === error.host);
  // Without a host, the error may be about a file.
  return named ?? (error.host !== undefined || places.length === references.length ? ordered[0] : undefined);
}

/** Words as a shell would take them. */
function commandLine(words: readonly string[]): string {
  return ["gantry", ...words]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(" ");
}
