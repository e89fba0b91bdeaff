import type { CheckName } from "../diagnosis.ts";

/** What is known of something that went wrong. */
export interface Evidence {
  readonly check: CheckName;
  /** The registry, as references name it. */
  readonly registry: string;
  /** What was asked about, as a user would type it. */
  readonly place: string;
  /** A URL to look at it with. */
  readonly url?: string;
  readonly status?: number;
  /** The system's or OpenSSL's code. */
  readonly cause?: string;
  /** The body of the answer, or the words of the error. */
  readonly text?: string;
  /** Whether the answer is a page for people. */
  readonly page?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** The service, where it is known by its challenge. */
  readonly service?: string;
  readonly user?: string;
}

/** One line of the troubleshooting table: what is absent fits anything, and the first rule that fits is taken. */
export interface Rule {
  readonly checks?: readonly CheckName[];
  readonly status?: readonly number[];
  readonly causes?: RegExp;
  readonly text?: RegExp;
  readonly page?: boolean;
  readonly service?: RegExp;
  readonly user?: RegExp;
  /** Why it went wrong. */
  readonly cause: string;
  /** What to run; `{registry}`, `{place}`, `{repository}`, `{url}` and `{hostname}` are filled in. */
  readonly command?: string;
}

/** The cause and the command of the first rule that fits. */
export function advise(
  rules: readonly Rule[],
  evidence: Evidence,
): { readonly cause: string; readonly command?: string } | undefined {
  const rule = rules.find((one) => fits(one, evidence));
  if (!rule) return undefined;
  const { cause, command } = rule;
  return { cause, ...(command !== undefined && { command: fill(command, evidence) }) };
}

function fits(rule: Rule, evidence: Evidence): boolean {
  const { checks, status, page } = rule;
  const matches = (pattern: RegExp | undefined, text: string | undefined): boolean =>
    pattern === undefined || (text !== undefined && pattern.test(text));
  return (
    (checks === undefined || checks.includes(evidence.check)) &&
    (status === undefined || (evidence.status !== undefined && status.includes(evidence.status))) &&
    (page === undefined || page === (evidence.page ?? false)) &&
    matches(rule.causes, evidence.cause) &&
    matches(rule.text, evidence.text) &&
    matches(rule.service, evidence.service) &&
    matches(rule.user, evidence.user)
  );
}

/** Fills in what a command is about. */
export function fill(command: string, { registry, place, url }: Evidence): string {
  const at = url ?? `https://${registry}/v2/`;
  const known: Readonly<Record<string, string>> = {
    registry,
    place,
    repository: place.replace(/@.*$/, "").replace(/:[^/:]*$/, ""),
    url: at,
    hostname: new URL(at).hostname,
  };
  return command.replace(/\{(\w+)\}/g, (_, name: string) => known[name]!);
}
