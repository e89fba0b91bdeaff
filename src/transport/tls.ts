import type { SecureContext, SecureVersion } from "node:tls";
import { RegistryError } from "../oci/error.ts";

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

/** Node's options for the TLS settings of a host, to be built once and kept, since reading certificates takes time. Throws INVALID. */
export function tlsOptions(host: string, settings: TlsSettings): TlsOptions {
  const { ca, cert, key, minVersion, rejectUnauthorized = true } = settings;
  const { createSecureContext, getCACertificates } = process.getBuiltinModule("node:tls");
  try {
    const secureContext = createSecureContext({
      ...(ca !== undefined && { ca: [...getCACertificates("default"), ...[ca].flat()] }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(minVersion !== undefined && { minVersion }),
    });
    return { secureContext, rejectUnauthorized };
  } catch (error) {
    throw new RegistryError("INVALID", `the TLS settings for ${host} are not right: ${(error as Error).message}`, {
      host,
      hint: "certificates and keys are PEM texts, -----BEGIN and so on",
    });
  }
}

/** What agents and sockets take. */
export interface TlsOptions {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}
