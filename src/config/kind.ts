import { isIP } from "node:net";
import { homePath } from "./home-path.ts";
import { durationForm, formatDuration, readDuration, readSize, readSpan, spanForm } from "./quantity.ts";

/** What relative paths are relative to, and what `~` stands for. */
export interface Where {
  readonly base: string;
  readonly home: string;
}

/** A part of a JSON Schema (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a value can be. */
export interface Kind<T> {
  /** In words, behind "this wants". */
  readonly wants: string;
  /** Reads what was written; undefined where it is not right. */
  read(text: string, where: Where): T | undefined;
  /** Writes a value so that `read`, and the option of the same name, take it. */
  write(value: T): string;
  /** What an editor may hold it to. */
  readonly json: JsonSchema;
  /** A `~` alone is a value, and not YAML's for nothing. */
  readonly isTilde?: true;
  /** Shows a value whose text may have a secret in it. */
  show?(value: T): string;
}

const same = (text: string): string => text;

/** `true` or `false`. */
export const yesOrNo: Kind<boolean> = {
  wants: "true or false",
  read: (text) => (/^(?:true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined),
  write: String,
  json: { type: "boolean" },
};

/** A whole number of things. */
export function count(from: 0 | 1): Kind<number> {
  return {
    wants: `a whole number from ${from} on`,
    read: (text) => (/^(?:0|[1-9]\d{0,5})$/.test(text) && Number(text) >= from ? Number(text) : undefined),
    write: String,
    json: { type: "integer", minimum: from, maximum: 999_999 },
  };
}

/** A length of time, in milliseconds. */
export const duration: Kind<number> = {
  wants: "a time such as 500ms, 10s or 2m",
  read: readDuration,
  write: (value) => formatDuration(value),
  json: {
    anyOf: [
      { type: "number", minimum: 0 },
      { type: "string", pattern: durationForm.source },
    ],
  },
};

/** The most time that something may take, in milliseconds. */
export const limit: Kind<number> = {
  ...duration,
  wants: "a time above 0 such as 500ms, 10s or 2m",
  read: (text) => readDuration(text) || undefined,
  json: {
    anyOf: [
      { type: "number", exclusiveMinimum: 0 },
      { type: "string", pattern: `(?=.*[1-9])${durationForm.source}` },
    ],
  },
};

/** How long ago something is, in milliseconds; longer than any timer runs. */
export const age: Kind<number> = {
  wants: "a time such as 30m, 12h, 7d or 2w",
  read: readSpan,
  write: (value) => formatDuration(value, "m"),
  json: { type: "string", pattern: spanForm.source },
};

/** A number of bytes. */
export const size: Kind<number> = {
  wants: "a number of bytes such as 800kB, 20MB or 1GiB",
  read: readSize,
  write: String,
  json: {
    anyOf: [
      { type: "integer", minimum: 1 },
      { type: "string", pattern: "^\\d+(\\.\\d+)? *([kKmMgG]i?)?[bB]?(/s)?$" },
    ],
  },
};

/** A text of one line. */
export const text: Kind<string> = {
  wants: "a text of one line",
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  read: (written) => (/^[^\u0000-\u0008\u000A-\u001F\u007F]+$/.test(written) ? written : undefined),
  write: same,
  json: { type: "string", minLength: 1 },
};

/** A secret text, which may have any characters. */
export const secret: Kind<string> = {
  wants: "a text",
  read: (written) => written || undefined,
  write: same,
  json: { type: "string", minLength: 1 },
  show: () => "[secret]",
};

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    wants: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    read: (written) => words.find((word) => word === written),
    write: same,
    json: { enum: words },
  };
}

/** The lowest version of TLS; in YAML it may look like a number. */
export const tlsVersion: Kind<"1.2" | "1.3"> = {
  ...oneOf("1.2", "1.3"),
  json: { enum: ["1.2", "1.3", 1.2, 1.3] },
};

/** A path of a file or directory: absolute once it is read. */
export const path: Kind<string> = {
  wants: "a path",
  read: (written, where) => (written === "" || written.includes("\0") ? undefined : homePath(written, where)),
  write: same,
  json: { type: "string", minLength: 1 },
  isTilde: true,
};

/** A proxy's URL, or false for none. */
export const proxy: Kind<string | false> = {
  wants: "http://HOST:PORT, https://HOST:PORT or none",
  read: (written) => (written === "none" ? false : isProxyUrl(written) ? written : undefined),
  write: (value) => (value === false ? "none" : value),
  json: { type: "string", pattern: "^(none|https?://[^/]+/?)$" },
  show: (value) => (value === false ? "none" : value.replace(/\/\/.*@/, "//[secret]@")),
};

function isProxyUrl(written: string): boolean {
  if (!URL.canParse(written)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(written);
  return /^https?:$/.test(protocol) && hostname !== "" && pathname === "/" && search === "" && hash === "";
}

/** An IP address. */
export const address: Kind<string> = {
  wants: "an IP address",
  read: (written) => {
    const bare = written.replace(/^\[(.*)\]$/, "$1");
    return isIP(bare) === 0 ? undefined : bare;
  },
  write: same,
  json: { type: "string", minLength: 2 },
};

const hostForm = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?`;
const repositoryForm = String.raw`(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*`;

/** A text of a fixed form, in lower case up to a slash once it is read. */
function form(pattern: string, wants: string): Kind<string> {
  const whole = new RegExp(`^(?:${pattern})$`);
  return {
    wants,
    read: (written) => (whole.test(written) ? written.replace(/^[^/]*/, (host) => host.toLowerCase()) : undefined),
    write: same,
    json: { type: "string", pattern: whole.source },
  };
}

/** A host as URLs have it, or `*` for all. */
export const host: Kind<string> = form(`\\*|${hostForm}`, "HOST, HOST:PORT or * for all");

/** A host, and perhaps a part of it. */
export const place: Kind<string> = form(`${hostForm}${repositoryForm}`, "HOST[:PORT][/PATH]");

/** The name of an HTTP header (RFC 9110, 5.1), in lower case once it is read. */
export const headerName: Kind<string> = form("[!#$%&'*+.^_`|~0-9A-Za-z-]+", "the name of an HTTP header");

/** The part of a credential helper's name behind `docker-credential-`. */
export const helperName: Kind<string> = {
  ...form("[A-Za-z0-9._-]+", "the name of a helper, without docker-credential-"),
  read: (written) => (/^[A-Za-z0-9._-]+$/.test(written) ? written : undefined),
};

/** The name of a variable of the environment. */
export const variableName: Kind<string> = {
  ...form("[A-Za-z_][A-Za-z0-9_]*", "the name of a variable"),
  read: (written) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(written) ? written : undefined),
};

/** A value of a header: it may be a secret. */
export const headerValue: Kind<string> = { ...text, show: () => "[secret]" };

/** The URL of an API: of HTTP, without login, query and fragment. */
export const webAddress: Kind<string> = {
  wants: "https://HOST[:PORT][/PATH]",
  read: (written) => {
    if (!URL.canParse(written)) return undefined;
    const { protocol, username, password, search, hash } = new URL(written);
    return /^https?:$/.test(protocol) && username + password + search + hash === "" ? written : undefined;
  },
  write: same,
  json: { type: "string", pattern: "^https?://[^?#@]+$" },
};

/** A name that a user gives to something: a stage, a gate. */
export const plainName: Kind<string> = {
  wants: "a name of letters, digits, -, _ and .",
  read: (written) => (/^[A-Za-z0-9][\w.-]{0,62}$/.test(written) ? written : undefined),
  write: same,
  json: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$" },
};
