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

/** Whom to trust, beside what the settings of hosts say; PEM texts, asked for when they are first needed. */
export interface Trust {
  /** In place of Node's own authorities. */
  readonly roots?: () => readonly string[];
  /** Beside them. */
  readonly more?: () => readonly string[];
  /** Beside them at hosts where they did not do: those that take long to read. */
  readonly spare?: () => readonly string[];
}

/** Node's options for TLS with hosts: equal ones are built once, since reading certificates takes time. */
export interface TlsContexts {
  (host: string): TlsOptions | undefined;
  /** Whether the spare authorities are trusted at a host. */
  isWide(host: string): boolean;
  /** Trusts them there from now on; false where there are none. */
  widen(host: string): boolean;
}

export function tlsContexts(settingsOf: SettingsOf, trust: Trust = {}): TlsContexts {
  const known = new Map<string, TlsOptions>();
  const wide = new Set<string>();
  const authorities = { roots: once(trust.roots), more: once(trust.more), spare: once(trust.spare) };
  const find = (host: string): TlsOptions | undefined => {
    const { tls, insecure } = settingsOf(host);
    const isWide = wide.has(host);
    if (!tls && !insecure && !isWide && !trust.roots && !trust.more) return undefined;
    const settings = { ...(insecure && { rejectUnauthorized: false }), ...tls };
    const key = JSON.stringify([settings, isWide]);
    const more = [...authorities.more(), ...(isWide ? authorities.spare() : [])];
    const found = known.get(key) ?? tlsOptions(host, settings, trust.roots && authorities.roots(), more);
    known.set(key, found);
    return found;
  };
  return Object.assign(find, {
    isWide: (host: string): boolean => wide.has(host),
    widen(host: string): boolean {
      if (authorities.spare().length > 0) wide.add(host);
      return wide.has(host);
    },
  });
}

function once(read: Trust["more"] = () => []): () => readonly string[] {
  let found: readonly string[] | undefined;
  return () => (found ??= read());
}

/** Throws INVALID where the settings are not right. */
function tlsOptions(
  host: string,
  settings: TlsSettings,
  roots: readonly string[] | undefined,
  more: readonly string[],
): TlsOptions {
  const { ca = [], cert, key, minVersion, rejectUnauthorized = true } = settings;
  const { createSecureContext, getCACertificates } = process.getBuiltinModule("node:tls");
  const own = [...more, ...[ca].flat()];
  try {
    const secureContext = createSecureContext({
      ...((roots || own.length > 0) && { ca: [...new Set([...(roots ?? getCACertificates("default")), ...own])] }),
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
