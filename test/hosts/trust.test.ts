import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trust } from "../../src/hosts/trust.ts";
import { authority, elsewhereCertificate, serverCertificate } from "../transport/certificates.ts";
import { fault, machine } from "./machine.ts";

const files = {
  "bundle.pem": authority,
  "certs/b.pem": serverCertificate,
  "certs/again.0": serverCertificate,
  "certs/sub/x.pem": elsewhereCertificate,
  "certs/readme": "no certificate",
  "more/c.pem": elsewhereCertificate,
};

test("a file and directories are all that is trusted", async () => {
  const { root } = await machine(files);
  await symlink("loop", join(root, "certs/loop"));
  const env = {
    SSL_CERT_FILE: join(root, "bundle.pem"),
    SSL_CERT_DIR: `${join(root, "certs")}:${join(root, "more")}:${join(root, "absent")}`,
  };
  const found = trust({ env });
  expect(found.roots?.()).toEqual([authority, serverCertificate, elsewhereCertificate]);
  expect(found.spare).toBeUndefined();
});

test("one of them is asked for when Node's own authorities do not do, with the system's", async () => {
  const { root } = await machine(files);
  for (const env of [{ SSL_CERT_FILE: join(root, "bundle.pem") }, { SSL_CERT_DIR: join(root, "certs") }]) {
    const found = trust({ env });
    expect(found.roots).toBeUndefined();
    expect(found.spare?.()).toContain("SSL_CERT_FILE" in env ? authority : serverCertificate);
  }
  expect(trust({ env: {} }).roots).toBeUndefined();
});

test("NODE_EXTRA_CA_CERTS counts where Node was not started with it", async () => {
  const { root } = await machine(files);
  const env = { NODE_EXTRA_CA_CERTS: join(root, "bundle.pem") };
  expect(trust({ env }).more?.()).toEqual([authority]);
  expect(trust({ env, nodeExtra: env.NODE_EXTRA_CA_CERTS }).more).toBeUndefined();
  const absent = trust({ env: { NODE_EXTRA_CA_CERTS: join(root, "absent") } });
  expect(fault(root, () => absent.more?.())).toBe("INVALID: /absent is not there: NODE_EXTRA_CA_CERTS names it");
});

test("authorities that are nowhere are told", () => {
  const found = trust({ env: { SSL_CERT_FILE: "/absent/file", SSL_CERT_DIR: "/absent" } });
  expect(fault("", () => found.roots?.())).toBe(
    "INVALID: there is no certificate where SSL_CERT_FILE (/absent/file) and SSL_CERT_DIR (/absent) say that the authorities are " +
      "(point them at PEM files, or unset them)",
  );
});
