import {
  apiHost,
  RegistryError,
  traceCredentials,
  type Client,
  type LoginPlace,
  type LoginStore,
} from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { formatLoginPlace, parseLoginPlace } from "../login-place.ts";
import * as options from "../login-options.ts";

interface Ended {
  readonly registry: string;
  readonly path: string;
  /** Where the login was. */
  readonly where: string;
}

export const run: Run<[host: string | undefined]> = async ([text], cli) => {
  const { get, out, client } = cli;
  const all = get(options.allLogins);
  if (all && text !== undefined) throw new RegistryError("INVALID", "--all and a registry's name exclude each other");
  const place = parseLoginPlace(text);
  const connected = await client({ from: [] });
  const compat = get(options.compat);
  const stores = compat === undefined ? connected.loginStores.all : [await connected.loginStores.target(compat)];
  const ended = all ? await eraseAll(stores, cli) : await erase(stores, place, cli);
  if (ended.length === 0) {
    await out.print(ended, () => "");
    cli.reporter.say(all ? "there is no login" : `there is no login for ${formatLoginPlace(place)}`);
    return "notFound";
  }
  await out.print(ended, (list) =>
    list
      .map((one) => `logged out of ${formatLoginPlace({ host: one.registry, path: one.path })}: ${one.where}\n`)
      .join(""),
  );
  if (!all) await warnOfRest(connected, place, cli);
  return "done";
};

async function erase(stores: readonly LoginStore[], place: LoginPlace, { signal }: Cli): Promise<readonly Ended[]> {
  const places: string[] = [];
  for (const store of stores) places.push(...(await store.erase(place, signal)));
  return [...new Set(places)].map((where) => ({ registry: place.host, path: place.path, where }));
}

async function eraseAll(stores: readonly LoginStore[], cli: Cli): Promise<readonly Ended[]> {
  const ended: Ended[] = [];
  for (const store of stores) {
    for (const { host, path } of await store.list(cli.signal))
      ended.push(...(await erase([store], { host, path }, cli)));
  }
  return ended;
}

/** A login may be elsewhere too, where nothing can be erased: in a variable. */
async function warnOfRest({ admission }: Client, { host, path }: LoginPlace, { reporter, signal }: Cli): Promise<void> {
  const { credential } = await traceCredentials(admission.credentials, apiHost(host), path, signal);
  if (credential?.origin !== undefined) reporter.say(`warning: there is still a login, at ${credential.origin}`);
}
