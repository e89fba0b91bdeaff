import { authenticate } from "./auth/authenticate.ts";
import type { CredentialSource, Environment } from "./auth/credential.ts";
import type { ClientOptions } from "./client.ts";
import { extensionHeader } from "./oci/extension.ts";
import type { DoctorContext } from "./doctor/context.ts";
import { trust } from "./hosts/trust.ts";
import type { SettingsOf } from "./transport/host-settings.ts";
import { limit } from "./transport/limit.ts";
import { observe } from "./transport/observe.ts";
import type { IsInsecure } from "./transport/origin.ts";
import { quotas, type Quotas } from "./transport/quotas.ts";
import { redirect } from "./transport/redirect.ts";
import { reserve } from "./transport/reserve.ts";
import { retry } from "./transport/retry.ts";
import { scheme, type Spoken } from "./transport/scheme.ts";
import { compose, type Middleware, type Res, type Transport } from "./transport/transport.ts";
import { wire } from "./transport/wire.ts";
import { version } from "./version.ts";

/** What a client sends requests through; `direct` adds no login and follows no redirect. */
export interface Stack extends Pick<DoctorContext, "network" | "transport" | "credentials" | "trust"> {
  readonly direct: Transport;
  readonly quotas: Quotas;
  /** The headers by which hosts (`name[:port]`) said which service they are. */
  readonly announced: ReadonlyMap<string, Res["headers"]>;
  close(): void;
}

/** All that lies between a request and the network, in the order of ARCHITECTURE.md. */
export function transportStack(
  options: ClientOptions,
  env: Environment,
  settingsOf: SettingsOf,
  isInsecure: IsInsecure,
  sources: CredentialSource,
): Stack {
  const { onEvent = () => {}, userAgent = `gantry/${version}` } = options;
  // Helpers that are being asked end with the client.
  let closing = new AbortController();
  const credentials: CredentialSource = {
    name: sources.name,
    find: (host, path) => sources.find(host, path, closing.signal),
  };
  const nodeExtra = process.env["NODE_EXTRA_CA_CERTS"];
  const trusted = trust({ env, ...(nodeExtra !== undefined && { nodeExtra }) });
  const sockets = wire({ userAgent, settingsOf, proxyEnv: env, trust: trusted });
  const limits = quotas({ onEvent });
  const announced = new Map<string, Res["headers"]>();
  const heard: Middleware = (next) => async (request) => {
    const response = await next(request);
    const said = response.headers[extensionHeader];
    if (said !== undefined) announced.set(request.url.host, { [extensionHeader]: said });
    return response;
  };
  const spoken: Spoken = new Map();
  const network = compose(sockets, heard, scheme({ isInsecure, spoken }), observe({ onEvent }));
  const again = retry({
    onEvent,
    spoken,
    ...(options.retries !== undefined && { attempts: options.retries + 1 }),
    ...(options.retryDelay !== undefined && { delay: options.retryDelay }),
  });
  const limited = limit({
    onEvent,
    quotas: limits,
    ...(options.uploads !== undefined && { uploads: options.uploads }),
  });
  return {
    network,
    transport: compose(
      network,
      again,
      reserve({ settingsOf, quotas: limits }),
      redirect({ isInsecure }),
      authenticate({ credentials, isInsecure }),
      limited,
    ),
    direct: compose(network, again, limited),
    credentials,
    trust: trusted,
    quotas: limits,
    announced,
    close() {
      closing.abort();
      closing = new AbortController();
      sockets.close();
    },
  };
}
