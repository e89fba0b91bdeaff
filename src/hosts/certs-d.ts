import { join } from "node:path";
import { RegistryError } from "../oci/error.ts";
import type { TlsSettings } from "../transport/tls.ts";
import { parseCertificates, readKeyPair } from "./certificates.ts";
import { findNames, findText } from "./file.ts";

/**
 * Reads a directory of one host's certificates as Docker and Podman do (containers-certs.d(5)): authorities in `*.crt`,
 * client certificates in `*.cert` with their keys in `*.key`; of several the first by name counts. Gives undefined where
 * there is no such directory, or none that may be looked into. Throws INVALID, also for a certificate without its key.
 */
export function readCertDirectory(directory: string): TlsSettings | undefined {
  const names = findNames(directory, "foreign");
  if (!names) return undefined;
  const ca = stems(names, ".crt").flatMap((stem) => {
    const file = join(directory, `${stem}.crt`);
    // A link that leads nowhere is left behind by whoever takes an authority away.
    const text = findText(file);
    return text === undefined ? [] : parseCertificates(text, file);
  });
  const certs = stems(names, ".cert");
  const keys = stems(names, ".key");
  for (const [have, lack, missing] of [
    [certs, keys, ".key"],
    [keys, certs, ".cert"],
  ] as const) {
    const alone = have.find((stem) => !lack.includes(stem));
    if (alone !== undefined) throw partnerless(directory, alone, missing);
  }
  const [first] = certs;
  return {
    ...(ca.length > 0 && { ca }),
    ...(first !== undefined && readKeyPair(join(directory, `${first}.cert`), join(directory, `${first}.key`))),
  };
}

function stems(names: readonly string[], suffix: string): readonly string[] {
  return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
}

function partnerless(directory: string, stem: string, missing: ".cert" | ".key"): RegistryError {
  const there = missing === ".key" ? ".cert" : ".key";
  return new RegistryError("INVALID", `${join(directory, stem + there)} has no ${stem}${missing} beside it`, {
    hint:
      missing === ".key"
        ? "*.cert is a client's certificate and needs its key; an authority's certificate is called *.crt"
        : "*.key is a client's key and needs its certificate, *.cert",
  });
}
