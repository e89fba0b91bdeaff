import { RegistryError } from "../oci/error.ts";
import { readText } from "./file.ts";

const block = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g;
const begin = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** The certificates in a PEM text, each as a PEM text of its own. Throws INVALID with file and line. */
export function parseCertificates(text: string, file: string): readonly string[] {
  const found = [...text.matchAll(block)];
  const starts = [...text.matchAll(begin)].map(({ index }) => index);
  const cutOff = starts.find((start) => !found.some(({ index }) => index === start));
  if (cutOff !== undefined)
    throw invalid(file, `the certificate that starts in line ${lineOf(text, cutOff)} has no end`);
  if (found.length === 0) throw invalid(file, "there is no certificate in it");
  const damaged = found.find(([pem]) => !isSound(pem));
  if (damaged) throw invalid(file, `the certificate that starts in line ${lineOf(text, damaged.index)} is damaged`);
  return found.map(([pem]) => pem);
}

/** The certificates in PEM texts that can be read, each once: of a whole directory nobody vouches for every file. */
export function soundCertificates(texts: readonly string[]): readonly string[] {
  const all = texts.flatMap((text) => [...text.matchAll(block)].map(([pem]) => pem));
  return [...new Set(all)].filter(isSound);
}

function isSound(pem: string): boolean {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    return new X509Certificate(pem).raw.byteLength > 0;
  } catch {
    return false;
  }
}

/** A certificate (with what leads from it to its authority) and its key. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A PEM text, and what its file is called in messages. */
export interface PemFile {
  readonly name: string;
  readonly text: string;
}

/** Reads a certificate and its key, which may be in the same file. Throws INVALID, also where they do not belong together. */
export function readKeyPair(certFile: string, keyFile: string = certFile): KeyPair {
  const cert = { name: certFile, text: readText(certFile) };
  return checkKeyPair(cert, keyFile === certFile ? cert : { name: keyFile, text: readText(keyFile) });
}

/** The same of what was read. */
export function checkKeyPair(cert: PemFile, key: PemFile = cert): KeyPair {
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule("node:crypto");
  const [own] = parseCertificates(cert.text, cert.name);
  let fits: boolean;
  try {
    fits = new X509Certificate(own!).checkPrivateKey(createPrivateKey(key.text));
  } catch (error) {
    if (!/ENCRYPTED/.test(key.text)) throw invalid(key.name, "there is no private key in it", error);
    throw new RegistryError("INVALID", `${key.name}: the key is locked with a passphrase`, {
      cause: error,
      hint: "unlock a copy of it: openssl pkey -in KEY -out UNLOCKED",
    });
  }
  if (!fits) {
    throw new RegistryError("INVALID", `the key in ${key.name} is not that of the certificate in ${cert.name}`);
  }
  return { cert: cert.text, key: key.text };
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function invalid(file: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError("INVALID", `${file}: ${what}`, {
    ...(cause !== undefined && { cause }),
    hint: "certificates and keys are PEM texts, -----BEGIN and so on",
  });
}
