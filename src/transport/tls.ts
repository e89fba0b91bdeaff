import type { SecureContext, SecureVersion } from "node:tls";
import { RegistryError } from "../oci/error.ts";
import type { SettingsOf } from "./host-settings.ts";

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

/** Node's options for the TLS settings of hosts: equal ones are built once, since reading certificates takes time. */
export function tlsContexts(settingsOf: SettingsOf): (host: string) => TlsOptions | undefined {
  const known = new Map<string, TlsOptions>();
  return (host) => {
    const { tls, insecure } = settingsOf(host);
    if (!tls && !insecure) return undefined;
    const settings = { ...(insecure && { rejectUnauthorized: false }), ...tls };
    const key = JSON.stringify(settings);
    const found = known.get(key) ?? tlsOptions(host, settings);
    known.set(key, found);
    return found;
  };
}

/** Throws INVALID where the settings are not right. */
function tlsOptions(host: string, settings: TlsSettings): TlsOptions {
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
