import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseCertificates, readKeyPair, soundCertificates } from "../../src/hosts/certificates.ts";
import { readCertDirectory } from "../../src/hosts/certs-d.ts";
import {
  authority,
  clientCertificate,
  clientKey,
  elsewhereCertificate,
  serverCertificate,
  serverKey,
} from "../transport/certificates.ts";
import { fault, machine } from "./machine.ts";

const pem = " (certificates and keys are PEM texts, -----BEGIN and so on)";

test("authorities, and the first client certificate with its key", async () => {
  const { root } = await machine({
    "host/b.crt": `some words\n${authority}\n${serverCertificate}\n`,
    "host/a.crt": elsewhereCertificate,
    "host/client.cert": clientCertificate,
    "host/client.key": clientKey,
    "host/zserver.cert": serverCertificate,
    "host/zserver.key": serverKey,
    "host/readme.txt": "not a certificate",
  });
  await symlink("gone.crt.old", join(root, "host/gone.crt"));
  expect(readCertDirectory(join(root, "host"))).toEqual({
    ca: [elsewhereCertificate, authority, serverCertificate],
    cert: clientCertificate,
    key: clientKey,
  });
  expect(readCertDirectory(join(root, "absent"))).toBeUndefined();
});

test("a directory without certificates says nothing", async () => {
  const { root } = await machine({ "host/readme.txt": "" });
  expect(readCertDirectory(join(root, "host"))).toEqual({});
});

describe("what is not right names the file", () => {
  test.each([
    [
      { "client.cert": clientCertificate },
      "/host/client.cert has no client.key beside it (*.cert is a client's certificate and needs its key; an authority's certificate is called *.crt)",
    ],
    [
      { "client.key": clientKey },
      "/host/client.key has no client.cert beside it (*.key is a client's key and needs its certificate, *.cert)",
    ],
    [
      { "client.cert": clientCertificate, "client.key": serverKey },
      "the key in /host/client.key is not that of the certificate in /host/client.cert",
    ],
    [{ "client.cert": clientCertificate, "client.key": "" }, `/host/client.key: there is no private key in it${pem}`],
    [
      {
        "client.cert": clientCertificate,
        "client.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
      },
      "/host/client.key: the key is locked with a passphrase (unlock a copy of it: openssl pkey -in KEY -out UNLOCKED)",
    ],
    [{ "ca.crt": "" }, `/host/ca.crt: there is no certificate in it${pem}`],
    [
      { "ca.crt": `${authority}\n\n${serverCertificate.replace("MII", "AAA")}` },
      `/host/ca.crt: the certificate that starts in line 13 is damaged${pem}`,
    ],
    [
      { "ca.crt": `\n${authority.slice(0, 200)}` },
      `/host/ca.crt: the certificate that starts in line 2 has no end${pem}`,
    ],
    [
      { "ca.crt": `${authority.slice(0, 200)}\n${serverCertificate}` },
      `/host/ca.crt: the certificate that starts in line 1 has no end${pem}`,
    ],
  ])("%#", async (files, expected) => {
    const { root } = await machine(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`host/${name}`, text])),
    );
    expect(fault(root, () => readCertDirectory(join(root, "host")))).toBe(`INVALID: ${expected}`);
  });

  test("a key may be in the certificate's file, and must be somewhere", async () => {
    const { root } = await machine({ both: `${clientKey}\n${clientCertificate}`, alone: clientCertificate });
    const both = readKeyPair(join(root, "both"));
    expect(both.key).toBe(both.cert);
    expect(fault(root, () => readKeyPair(join(root, "alone")))).toBe(
      `INVALID: /alone: there is no private key in it${pem}`,
    );
    expect(fault(root, () => readKeyPair(join(root, "absent")))).toBe("INVALID: /absent is not there");
  });
});

test("of a text that nobody vouches for, the sound certificates are taken", () => {
  const text = `${authority}\n${serverCertificate.replace("MII", "AAA")}\n-----BEGIN CERTIFICATE-----`;
  expect(soundCertificates([text, `${authority}\n`])).toEqual([authority]);
  expect(parseCertificates(`${authority}\n`, "x")).toEqual([authority]);
});
