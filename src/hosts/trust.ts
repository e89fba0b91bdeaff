import { join } from "node:path";
import { RegistryError } from "../oci/error.ts";
import type { Trust } from "../transport/tls.ts";
import { parseCertificates, soundCertificates } from "./certificates.ts";
import { findNames, findText, readText } from "./file.ts";

export interface TrustOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The NODE_EXTRA_CA_CERTS that Node was started with, and has read. */
  readonly nodeExtra?: string;
}

/**
 * Whom the environment says to trust. As with Go's programs, SSL_CERT_FILE and SSL_CERT_DIR each name one half of the
 * system's authorities: with both, nobody else is trusted; with one, or none, Node's own authorities hold, and what the
 * system has (and the one names) is asked for where they do not do. NODE_EXTRA_CA_CERTS counts as Node has it, also
 * where Node was started without.
 */
export function trust({ env, nodeExtra }: TrustOptions): Trust {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories, NODE_EXTRA_CA_CERTS: extra } = env;
  const named = (): readonly string[] =>
    soundCertificates([
      ...(file ? [findText(file, "foreign") ?? ""] : []),
      ...(directories ? directories.split(":").flatMap(textsIn) : []),
    ]);
  return {
    ...(file && directories
      ? { roots: () => checked(named(), `SSL_CERT_FILE (${file}) and SSL_CERT_DIR (${directories})`) }
      : { spare: () => [...process.getBuiltinModule("node:tls").getCACertificates("system"), ...named()] }),
    ...(extra &&
      extra !== nodeExtra && { more: () => parseCertificates(readText(extra, "NODE_EXTRA_CA_CERTS"), extra) }),
  };
}

function textsIn(directory: string): readonly string[] {
  const names = directory === "" ? [] : (findNames(directory, "foreign") ?? []);
  return names.map((name) => {
    try {
      return findText(join(directory, name), "foreign") ?? "";
    } catch {
      return ""; // A directory, or a link in a circle: not a certificate.
    }
  });
}

function checked(certificates: readonly string[], named: string): readonly string[] {
  if (certificates.length > 0) return certificates;
  throw new RegistryError("INVALID", `there is no certificate where ${named} say that the authorities are`, {
    hint: "point them at PEM files, or unset them",
  });
}
