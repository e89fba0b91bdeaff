import { createClient, type Client, type ClientOptions, type Config } from "../index.ts";
import { configuredHosts, configuredKubernetes, configuredLogins, readAuthorities } from "./configured.ts";
import { givenHosts } from "./given-hosts.ts";
import { givenLogins } from "./given-logins.ts";
import type { Io } from "./io.ts";
import type { Get } from "./option.ts";
import * as options from "./options.ts";
import { spotsOf, type Places } from "./places.ts";
import { stdinFor } from "./secrets.ts";

/**
 * Makes a client by the options about networks and logins and the configuration, for the places of this command. `get` has
 * what was typed and no more: that counts more than what `hosts` says for a host, and the configuration's keys at the top less.
 */
export async function connect(
  get: Get,
  places: Places,
  config: Config,
  io: Io,
  onEvent: NonNullable<ClientOptions["onEvent"]>,
  signal?: AbortSignal,
): Promise<Client> {
  return createClient({
    ...(await clientOptions(get, places, config, io, signal)),
    env: io.env,
    onEvent,
    get stdin() {
      return stdinFor(get, io);
    },
    get stdout() {
      return io.stdout;
    },
  });
}

async function clientOptions(
  get: Get,
  places: Places,
  config: Config,
  io: Io,
  signal?: AbortSignal,
): Promise<ClientOptions> {
  const from = places.from.flatMap(spotsOf);
  const to = (places.to ?? []).flatMap(spotsOf);
  const ca = readAuthorities(get(options.caFile), config);
  const authFile = get(options.authfile) ?? config.values.authFile;
  const retries = get(options.retries) ?? config.values.retries;
  const retryDelay = get(options.retryDelay) ?? config.values.retryDelay;
  const userAgent = get(options.userAgent) ?? config.values.userAgent;
  // More than six large blobs at a time fill caches and buffers, and are no faster. Several destinations read each blob
  // together, so that none of them may keep the others waiting for its turn.
  const uploads = get(options.jobs) ?? config.values.jobs ?? (to.length === 1 ? 6 : undefined);
  const logins = configuredLogins(config);
  const registriesConf = get(options.registriesConf) ?? config.values.registriesConf;
  const { shortNames } = config.values;
  return {
    credentials: await givenLogins(get, { from, to }, io, signal),
    hosts: configuredHosts(config, { hosts: givenHosts(get, { from, to }, config), ca }),
    ...(logins && { logins }),
    ...configuredKubernetes(config),
    mirrors: get(options.useMirrors),
    ...(shortNames !== undefined && { shortNames }),
    ...(registriesConf !== undefined && { registriesConf }),
    ...(authFile !== undefined && { authFile }),
    ...(retries !== undefined && { retries }),
    ...(retryDelay !== undefined && { retryDelay }),
    ...(userAgent !== undefined && { userAgent }),
    ...(uploads !== undefined && { uploads }),
  };
}
