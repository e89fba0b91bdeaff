import type { Challenge } from "../auth/challenge.ts";
import type { CredentialSource } from "../auth/credential.ts";
import type { Clock } from "../transport/clock.ts";
import type { SettingsOf } from "../transport/host-settings.ts";
import type { Trust } from "../transport/tls.ts";
import type { Res, Transport } from "../transport/transport.ts";
import type { Connect, Lookup } from "./socket.ts";

/** A registry service as it is known by what it answers. */
export interface Service {
  readonly name: string;
  /** What it takes for a login, and the command that brings one; `{host}` stands for the registry. */
  readonly login?: { readonly cause: string; readonly command?: string };
  /** In what it differs from others, a line for each thing. */
  readonly quirks?: readonly string[];
}

/** What a diagnosis works with: the very settings, connections and credentials that commands use. */
export interface DoctorContext {
  readonly settingsOf: SettingsOf;
  /** The network alone: no request is repeated, led elsewhere or logged in. */
  readonly network: Transport;
  /** All that commands send their requests through. */
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  /** Whose certificates count, beside what settings say. */
  readonly trust?: Trust;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up. */
  readonly proxyEnv: Readonly<Record<string, string | undefined>>;
  /** Tells services apart by what they answer to `/v2/`. */
  readonly identify?: (host: string, challenges: readonly Challenge[], headers: Res["headers"]) => Service | undefined;
}

export interface DiagnoseOptions {
  /** How long each check may take, in milliseconds; 10 s. */
  readonly timeout?: number;
  /** Opens uploads in the repository, and cancels them: what can only be known by writing. */
  readonly writeCheck?: boolean;
  readonly signal?: AbortSignal;
  /** What stands for the system's own clock, resolver and sockets. */
  readonly clock?: Clock;
  readonly lookup?: Lookup;
  readonly connect?: Connect;
  /** The file that names hosts before DNS does; /etc/hosts. */
  readonly hostsFile?: string;
}

/** A context in which nothing is left to choose, and one check's signal. */
export interface Bench extends DoctorContext {
  readonly clock: Clock;
  readonly lookup: Lookup;
  readonly connect: Connect;
  readonly hostsFile: string;
  readonly timeout: number;
  readonly signal: AbortSignal;
}
