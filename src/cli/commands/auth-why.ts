import { traceAccess, type AccessTrace, type Wish } from "../../index.ts";
import type { Run } from "../command.ts";
import { exitOf, type ExitName } from "../exit-codes.ts";
import { parseWish } from "../login-place.ts";
import { forPush } from "../login-options.ts";
import { fields, table } from "../render/table.ts";
import { paint, type Look } from "../render/text.ts";

interface Explanation {
  readonly name: string;
  readonly action: "pull" | "push";
  readonly sources: readonly { readonly source: string; readonly outcome: string; readonly error?: string }[];
  readonly credential?: { readonly kind: string; readonly origin?: string; readonly username?: string };
  readonly challenge?: AccessTrace["challenge"];
  readonly asked?: readonly string[];
  readonly granted?: readonly string[];
  readonly expires?: string;
  readonly status?: number;
  readonly access: boolean;
  readonly refused?: string;
}

export const run: Run<[reference: string]> = async ([reference], { get, client, out, signal }): Promise<ExitName> => {
  const wish = parseWish(reference, get(forPush));
  const { admission } = await client({ from: [reference] });
  const trace = await traceAccess(admission, wish, signal);
  await out.print(explain(wish, trace), explanationText);
  return trace.refused ? exitOf(trace.refused.code) : "done";
};

function explain({ host, repository, push }: Wish, trace: AccessTrace): Explanation {
  const { credentials, challenge, asked, granted, expiresAt, status, refused } = trace;
  const { credential } = credentials;
  return {
    name: `${host}/${repository}`,
    action: push ? "push" : "pull",
    sources: credentials.sources.map(({ name, outcome, error }) => ({
      source: name,
      outcome,
      ...(error && { error: error.message }),
    })),
    ...(credential && {
      credential: {
        kind: credential.kind,
        ...(credential.origin !== undefined && { origin: credential.origin }),
        ...(credential.kind === "basic" && { username: credential.username }),
      },
    }),
    ...(challenge && { challenge }),
    ...(asked && { asked }),
    ...(granted && { granted }),
    ...(expiresAt !== undefined && { expires: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z") }),
    ...(status !== undefined && { status }),
    access: refused === undefined,
    ...(refused && { refused: refused.message }),
  };
}

const kinds: Readonly<Record<string, string>> = {
  basic: "user and password",
  identity: "identity token",
  bearer: "registry token",
};

function explanationText(explanation: Explanation, look: Look): string {
  const { name, action, sources, credential, challenge, asked, granted, expires, status, refused } = explanation;
  const wanted = challenge
    ? challenge.scheme === "basic"
      ? "user and password (Basic)"
      : `a token of ${challenge.realm}${challenge.service === undefined ? "" : `, service ${challenge.service}`}`
    : "nothing";
  const rows = sources.map(({ source, outcome, error }) => ({
    source,
    outcome: error ? `${outcome}: ${error}` : outcome,
  }));
  return [
    table(
      rows,
      [
        { title: "SOURCE", value: (row) => row.source },
        { title: "OUTCOME", value: (row) => row.outcome },
      ],
      look,
    ),
    "\n",
    fields(
      [
        ["Credential", credential ? kinds[credential.kind] : "none: asked without a login"],
        ["From", credential?.origin],
        ["User", credential?.username],
        ["Wanted", status === undefined && !challenge ? undefined : wanted],
        ["Asked", asked?.join(" ")],
        ["Granted", asked && (granted ? granted.join(" ") || "nothing" : "the token does not say")],
        ["Expires", expires],
        ["Answer", status?.toString()],
      ],
      look,
    ),
    refused === undefined
      ? `\n${paint(look, "green", `${name}: ${action} allowed`)}\n`
      : `\n${paint(look, "red", `${name}: no ${action}`)}: ${refused}\n`,
  ].join("");
}
