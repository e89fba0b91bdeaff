import type { SecureContextOptions, SecureVersion } from "node:tls";

/** How to speak TLS with a host; PEM texts. */
export interface TlsSettings {
  /** Authorities trusted beside the system's. */
  readonly ca?: string | readonly string[];
  /** The client's certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Whether the host must prove who it is; true unless said otherwise. */
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: SecureVersion;
}

/** TLS settings by host (`name[:port]`); `*` is for hosts that are not named. */
export type TlsByHost = Readonly<Record<string, TlsSettings>>;

/** The settings for a host, and the key they stand under. */
export function tlsFor(
  byHost: TlsByHost | undefined,
  host: string,
): { readonly key: string; readonly settings: TlsSettings } | undefined {
  const key = [host, "*"].find((name) => byHost && Object.hasOwn(byHost, name));
  return key === undefined ? undefined : { key, settings: byHost![key]! };
}

/** Node's options for TLS settings, for an agent or a socket; to be built once and kept, since reading certificates takes time. */
export async function tlsOptions(
  settings: TlsSettings,
): Promise<SecureContextOptions & { rejectUnauthorized: boolean }> {
  const { ca, cert, key, minVersion, rejectUnauthorized = true } = settings;
  const { createSecureContext, getCACertificates } = await import("node:tls");
  const secureContext = createSecureContext({
    ...(ca !== undefined && { ca: [...getCACertificates("default"), ...[ca].flat()] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(minVersion !== undefined && { minVersion }),
  });
  return { secureContext, rejectUnauthorized } as SecureContextOptions & { rejectUnauthorized: boolean };
}
