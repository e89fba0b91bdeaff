import {
  apiHost,
  isRegistryError,
  isSameLogin,
  RegistryError,
  Secret,
  traceCredentials,
  userPassword,
  validateCredential,
  type Client,
  type Credential,
  type KeptLogin,
  type LoginPlace,
} from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { formatLoginPlace, parseLoginPlace } from "../login-place.ts";
import * as options from "../login-options.ts";
import { parseToken } from "../option-values.ts";
import { readSecret } from "../secrets.ts";

export const run: Run<[host: string | undefined]> = async ([text], cli) => {
  const { get, out, reporter, signal, client } = cli;
  const place = parseLoginPlace(text);
  const name = formatLoginPlace(place);
  if (text === undefined) reporter.say(`no registry named: this is for ${name}`);
  const given = await credentialOf(name, cli);
  const connected = await client({ from: [place.host] });
  const store = await connected.loginStores.target(get(options.compat));
  const { credential, checked } = await check(connected, place, given, cli);
  const username = given.kind === "basic" ? given.username : undefined;
  const kept = await store.save(place, credential, { ...(username !== undefined && { username }), signal });
  if (kept.inClear)
    reporter.say(`warning: ${store.file} has it unencrypted; a credential helper (credsStore) would not`);
  await warnOfOthers(connected, kept, credential, cli);
  const result = { registry: place.host, path: place.path, ...(username !== undefined && { username }) };
  await out.print({ ...result, kind: credential.kind, checked, where: kept.where }, () => `logged in to ${name}\n`);
};

/** What the user gives to log in with; the terminal is asked for what is missing. */
async function credentialOf(name: string, { get, stdin, reporter, ask, signal }: Cli): Promise<Credential> {
  const ways = [
    get(options.readPassword) && "--password-stdin",
    get(options.readIdentityToken) && "--identity-token-stdin",
    get(options.readRegistryToken) && "--token-stdin",
    get(options.password) !== undefined && "-p",
    get(options.identityToken) !== undefined && "--identity-token",
  ].filter((way) => way !== false);
  if (ways.length > 1) throw new RegistryError("INVALID", `${ways.join(" and ")} exclude each other`);
  const [way] = ways;
  if (way === "-p" || way === "--identity-token")
    reporter.say(`warning: the shell's history and the list of processes show what follows ${way}`);
  const identity = get(options.identityToken);
  if (identity !== undefined) return { kind: "identity", token: new Secret(nonEmpty(identity, "identity token")) };
  if (way === "--identity-token-stdin")
    return { kind: "identity", token: new Secret(await readSecret(stdin(), signal)) };
  if (way === "--token-stdin") return parseToken(await readSecret(stdin(), signal));
  const username = get(options.username) ?? (way === undefined ? await ask(`User of ${name}: `) : undefined);
  if (username === undefined || username === "" || username.includes(":"))
    throw new RegistryError("INVALID", username ? "a user's name has no colon" : "the user's name is missing", {
      hint: "say -u USER --password-stdin",
    });
  if (way === "--password-stdin") return userPassword(username, await readSecret(stdin(), signal));
  const password = get(options.password) ?? (await ask(`Password of ${username}: `, { hidden: true }));
  return userPassword(username, nonEmpty(password, "password"));
}

function nonEmpty(text: string | undefined, what: string): string {
  if (text !== undefined && text !== "") return text;
  throw new RegistryError("INVALID", `the ${what} is missing`, { hint: "pipe it in, with --password-stdin" });
}

/** Shows the credential to the registry, and takes the identity token that a token service may issue in place of a password. */
async function check(
  { admission }: Client,
  { host }: LoginPlace,
  given: Credential,
  { get, reporter, signal }: Cli,
): Promise<{ readonly credential: Credential; readonly checked: boolean }> {
  if (!get(options.check)) return { credential: given, checked: false };
  const { scheme, identity } = await validateCredential(admission, host, given, { offline: true, signal }).catch(
    (error: unknown) => {
      if (!isRegistryError(error, "UNAUTHORIZED")) throw error;
      const { code, message, status } = error;
      const details = {
        host: apiHost(host),
        status,
        cause: error,
        hint: "nothing was kept; see whether all is spelt right",
      };
      throw new RegistryError(code, message, details);
    },
  );
  if (scheme === "none") reporter.say(`warning: ${host} lets everybody in: whether the login is right is not known`);
  return { credential: identity ? { kind: "identity", token: identity } : given, checked: scheme !== "none" };
}

/** Says so where another place is asked first, so that what was kept is not what will be used. */
async function warnOfOthers(
  { admission }: Client,
  { host, path, where }: KeptLogin,
  kept: Credential,
  { reporter, signal }: Cli,
): Promise<void> {
  const found = await traceCredentials(admission.credentials, apiHost(host), path, signal);
  const used = found.sources.find(({ outcome }) => outcome === "used" || outcome === "failed");
  if (found.credential && isSameLogin(found.credential, kept)) return;
  const before = found.credential?.origin ?? used?.name;
  reporter.say(
    before === undefined
      ? `warning: it is kept at ${where}, where Gantry itself does not look now`
      : `warning: ${before} comes before ${where}, and is what will be used`,
  );
}
