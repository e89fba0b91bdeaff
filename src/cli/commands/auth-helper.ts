import type { Readable } from "node:stream";
import {
  apiHost,
  firstOf,
  formatLoginKey,
  helperLogin,
  isRegistryError,
  parseLoginKey,
  RegistryError,
  userPassword,
  type Client,
} from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { readSecret } from "../secrets.ts";
import { version } from "../../version.ts";

/** What Docker's client takes for "anonymous"; its words are the protocol's. */
const absence = "credentials not found in native keychain";

export const run: Run<[action: string]> = async ([action], cli) => {
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!act) {
    throw new RegistryError("INVALID", `${JSON.stringify(action)} is no action of a credential helper`, {
      hint: `write ${Object.keys(actions).join(", ")}`,
    });
  }
  const answer = (text: string): Promise<void> => cli.out.document(Buffer.from(`${text}\n`));
  try {
    const text = await act(await cli.client({ from: [] }), cli);
    if (text !== undefined) await answer(text);
    return "done";
  } catch (error) {
    // Who called reads stdout for the reason.
    if (!isRegistryError(error) || error.code === "ABORTED") throw error;
    await answer(error.message);
    return "failed";
  }
};

type Act = (client: Client, cli: Cli) => Promise<string | undefined>;

const actions: Readonly<Record<string, Act>> = {
  async get({ admission, loginStores }, { stdin, signal }) {
    const server = await readServer(stdin(), signal);
    const { host, path } = parseLoginKey(server);
    // Docker keeps more than logins under keys with a path: what is not exactly there is not there.
    const isKept = async (): Promise<boolean> =>
      (await loginStores.own.list(signal)).some((kept) => formatLoginKey(kept) === formatLoginKey({ host, path }));
    if (path !== "" && !(await isKept())) throw new RegistryError("UNAUTHORIZED", absence);
    const credential = await firstOf(...admission.credentials).find(apiHost(host), path, signal);
    // The protocol has no way to tell of a token that is used as it is.
    if (!credential || credential.kind === "bearer") throw new RegistryError("UNAUTHORIZED", absence);
    const { username, secret } = helperLogin(credential);
    return JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  },
  async store({ loginStores }, { stdin, signal }) {
    const { ServerURL: server, Username: username, Secret: secret } = parseLogin(await readSecret(stdin(), signal));
    if (typeof server !== "string" || server === "") throw new RegistryError("INVALID", "no credentials server URL");
    if (typeof username !== "string" || username === "") throw new RegistryError("INVALID", "no credentials username");
    if (typeof secret !== "string") throw new RegistryError("INVALID", "no credentials secret");
    await loginStores.own.save(parseLoginKey(server), userPassword(username, secret), { signal });
    return undefined;
  },
  async erase({ loginStores }, { stdin, signal }) {
    await loginStores.own.erase(parseLoginKey(await readServer(stdin(), signal)), signal);
    return undefined;
  },
  async list({ loginStores }, { signal }) {
    const kept = await loginStores.own.list(signal);
    return JSON.stringify(Object.fromEntries(kept.map((login) => [formatLoginKey(login), login.username ?? ""])));
  },
  version: async () => `docker-credential-gantry ${version}`,
};

async function readServer(stdin: Readable, signal: AbortSignal): Promise<string> {
  const server = (await readSecret(stdin, signal)).trim();
  if (server === "") throw new RegistryError("INVALID", "no credentials server URL");
  return server;
}

function parseLogin(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // The text is secret: it is not repeated.
  }
  throw new RegistryError("INVALID", "what is on stdin is not a login in JSON");
}
