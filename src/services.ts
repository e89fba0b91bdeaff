import type { Credential, CredentialSource, Environment } from "./auth/credential.ts";
import { remembered } from "./auth/remembered.ts";
import { until } from "./auth/until.ts";
import type { CredentialContext, Provider } from "./provider/provider.ts";
import type { ServiceRegistry } from "./provider/service.ts";
import type { Stack } from "./stack.ts";
import { apiHost } from "./oci/reference.ts";
import type { Call, Registry } from "./store/store.ts";
import { systemClock } from "./transport/clock.ts";
import type { SettingsOf } from "./transport/host-settings.ts";
import type { IsInsecure } from "./transport/origin.ts";
import type { Req, Transport } from "./transport/transport.ts";

/** What services are found and spoken to with. */
export interface ServicesOptions {
  readonly env: Environment;
  readonly home: string;
  readonly settingsOf: SettingsOf;
  readonly isInsecure: IsInsecure;
  /** How often what failed is asked again; 5. */
  readonly retries?: number;
  readonly onWarning?: (text: string, host: string) => void;
  /** Asked when the first request is due: the stack asks for credentials itself. */
  readonly stack: () => Stack;
  readonly registry: (host: string) => Registry;
}

/** The services of this client's registries. */
export interface Services {
  /** The logins that services' own tools keep, for the services' own hosts and those that the user says are theirs. */
  readonly credentials: CredentialSource;
  /** The registry with all that its service does; found out by a request where neither host nor user say which it is. */
  open(host: string, call?: Call): Promise<OpenService>;
  /** The same where the host, the user or an answer that came before says which it is, for which nothing is sent; else undefined. */
  known(host: string): Promise<OpenService | undefined>;
}

/** A registry with all that its service does, and which service that is. */
export type OpenService = ServiceRegistry & { readonly provider: Provider };

/** All services that are known, the plain registry last; their records are data alone. */
export async function knownProviders(): Promise<readonly Provider[]> {
  return (await import("./provider/providers.ts")).providers;
}

export function servicesOf(options: ServicesOptions): Services {
  const { env, home, settingsOf, isInsecure, retries, stack } = options;
  const direct: Transport = (request) => stack().direct(request);
  const contexts = new Map<string, CredentialContext>();
  const contextOf = (host: string): CredentialContext => {
    const own = settingsOf(apiHost(host)).env;
    const context = contexts.get(apiHost(host)) ?? {
      env: { ...env, ...own },
      home,
      // What hosts share is kept by their transport: one with variables of its own shares nothing.
      transport: own ? (request: Req) => direct(request) : direct,
      clock: systemClock,
      ...(retries !== undefined && { retries }),
      isInsecure,
      api: (name) => settingsOf(apiHost(name)).api,
      ...(options.onWarning && { onWarning: (text: string) => options.onWarning?.(text, host) }),
    };
    contexts.set(apiHost(host), context);
    return context;
  };
  const tell = async (host: string): Promise<Provider | undefined> => {
    const { providerNamed, providerOf } = await import("./provider/providers.ts");
    const name = settingsOf(apiHost(host)).provider;
    return name === undefined ? providerOf(host) : providerNamed(name);
  };
  const toldOf = new Map<string, Promise<Provider | undefined>>();
  /** What settings or its name tell of a host: always the same. */
  const told = (host: string): Promise<Provider | undefined> => {
    const known = toldOf.get(host) ?? tell(host);
    toldOf.set(host, known);
    known.catch(() => toldOf.delete(host));
    return known;
  };
  /** The same, or what the host said itself with an answer: that is enough to speak to it, and not for logins of others. */
  const heard = async (host: string): Promise<Provider | undefined> => {
    const { providerOfHeaders } = await import("./provider/detect.ts");
    return (await told(host)) ?? providerOfHeaders(stack().announced.get(apiHost(host)) ?? {});
  };
  const sources = new Map<string, Promise<CredentialSource | undefined>>();
  const opened = new Map<string, Promise<OpenService>>();

  const connect = async (host: string): Promise<OpenService> => {
    const { detect, versionCheck } = await import("./provider/detect.ts");
    const provider = (await heard(host)) ?? (await detect(host, direct)).provider;
    let check: ReturnType<typeof versionCheck> | undefined;
    // For all who ask: the first of them may give up, and what failed once need not fail again.
    const challenge = (): NonNullable<typeof check> => {
      const asked = (check ??= versionCheck(host, direct));
      asked.catch(() => (check = undefined));
      return asked;
    };
    const logins = remembered(stack().credentials, systemClock);
    const service = await provider.connect({
      ...contextOf(host),
      host,
      registry: options.registry(host),
      authenticated: (request) => stack().transport(request),
      credential: (path = "", { signal } = {}): Promise<Credential | undefined> =>
        logins.find(apiHost(host), path, signal),
      realm: async (realmCall) => (await until(challenge(), realmCall?.signal)).realm,
      quota: () => stack().quotas.find(apiHost(host)),
    });
    return { ...service, provider };
  };

  const open = (host: string, call?: Call): Promise<OpenService> => {
    const known = opened.get(host) ?? connect(host);
    opened.set(host, known);
    known.catch(() => opened.delete(host));
    return until(known, call?.signal);
  };

  return {
    credentials: {
      name: "the logins of the services' own tools",
      async find(host, path, signal) {
        let source = sources.get(host);
        if (!source) {
          source = told(host).then((provider) => provider?.credentials?.(contextOf(host)));
          sources.set(host, source);
          source.catch(() => sources.delete(host));
        }
        return (await source)?.find(host, path, signal);
      },
    },
    open,
    known: async (host) => ((await heard(host)) ? open(host) : undefined),
  };
}
