import { join } from "node:path";
import { expect, test } from "vitest";
import { hostFiles } from "../../src/hosts/host-files.ts";
import type { RegistryJson } from "../../src/hosts/told.ts";
import { hostsOf } from "../../src/hosts/hosts.ts";
import { authority, elsewhereCertificate, serverCertificate } from "../transport/certificates.ts";
import { fault, machine } from "./machine.ts";

const registry = (lines: string): string => `[[registry]]\n${lines}\n`;

test("what the files say of a host, the strongest first, and where they say it", async () => {
  const found = await machine({
    "etc/containerd/certs.d/a.example/hosts.toml": 'dial_timeout = "2s"\n',
    "etc/docker/certs.d/a.example/ca.crt": authority,
    "etc/containers/registries.conf": registry('location = "a.example"\ninsecure = true'),
    "etc/docker/daemon.json": '{"insecure-registries": ["a.example"]}',
  });
  const registryJson = (): RegistryJson => ({ insecure: ["a.*"], mirrors: {}, file: "/own.json" });
  const told = hostFiles({ ...found, registryJson }).told("a.example");
  expect(told.map(({ origin }) => origin.replace(found.root, ""))).toEqual([
    '/own.json: insecure, "a.*"',
    "/etc/containerd/certs.d/a.example/hosts.toml",
    "/etc/docker/certs.d/a.example",
    '/etc/containers/registries.conf: [[registry]] "a.example"',
    "/etc/docker/daemon.json: insecure-registries",
  ]);
  const files = hostFiles({ ...found, registryJson });
  expect(files.settingsOf("a.example")).toEqual({
    insecure: true,
    tls: { ca: [authority] },
    timeouts: { connect: 2000 },
  });
  expect(files.settingsOf("a.example")).toBe(files.settingsOf("a.example"));
  expect(files.settingsOf("b.example")).toEqual({});
});

test("certificates come from the first directory that has the host's; the user's before the system's before Docker's", async () => {
  const files = {
    "etc/docker/certs.d/a.example/ca.crt": authority,
    "etc/docker/certs.d/b.example:5000/ca.crt": authority,
    "etc/docker/certs.d/c.example:443/ca.crt": authority,
    "etc/docker/certs.d/docker.io/ca.crt": authority,
    "etc/containers/certs.d/a.example/ca.crt": serverCertificate,
    "home/.config/containers/certs.d/a.example/ca.crt": elsewhereCertificate,
    "home/.config/containers/certs.d/b.example:5000/readme": "",
  };
  const { settingsOf } = hostFiles(await machine(files));
  const ca = (host: string): unknown => settingsOf(host).tls?.ca;
  expect(ca("a.example")).toEqual([elsewhereCertificate]);
  expect(ca("b.example:5000")).toBeUndefined();
  expect(ca("c.example")).toEqual([authority]);
  expect(ca("registry-1.docker.io")).toEqual([authority]);
});

test("what registries.conf calls insecure is so at its hosts, and at no others", async () => {
  const { settingsOf } = hostFiles(
    await machine({
      "etc/containers/registries.conf": [
        registry('location = "whole.example"\ninsecure = true'),
        registry('location = "part.example/team"\ninsecure = true'),
        registry('prefix = "name.example"\nlocation = "place.example:5000/x"\ninsecure = true'),
        registry('prefix = "*.dev.example"\ninsecure = true'),
        registry('location = "safe.dev.example"'),
        registry('location = "m.example"\n[[registry.mirror]]\nlocation = "mirror.example/x"\ninsecure = true'),
      ].join(""),
    }),
  );
  const hosts = ["whole", "part", "name", "place.example:5000", "place", "x.dev", "safe.dev", "m", "mirror", "other"];
  expect(hosts.filter((host) => settingsOf(host.includes(".example") ? host : `${host}.example`).insecure)).toEqual([
    "whole",
    "part",
    "name",
    "place.example:5000",
    "x.dev",
    "mirror",
  ]);
});

test("the user's settings count before all files, and authorities of both are trusted", async () => {
  const found = await machine({
    "etc/docker/certs.d/docker.io/ca.crt": authority,
    "etc/docker/daemon.json": '{"registry-mirrors": ["http://m.example:5000"], "insecure-registries": ["b.example"]}',
  });
  const settings = { "docker.io": { tls: { ca: serverCertificate } }, "b.example": { insecure: false } };
  const { settingsOf } = hostsOf({ ...found, now: () => 0, settings });
  expect(settingsOf("registry-1.docker.io")).toEqual({ tls: { ca: [serverCertificate, authority] } });
  expect(settingsOf("b.example").insecure).toBe(false);
  expect(settingsOf("m.example:5000")).toEqual({ plainHttp: true });
});

test("a user's daemon.json is a rootless Docker's, and root has none", async () => {
  const found = await machine({
    "home/.config/docker/daemon.json": '{"insecure-registries": ["mine.example"]}',
    "etc/docker/daemon.json": '{"insecure-registries": ["system.example"]}',
  });
  const insecure = (uid: number): unknown =>
    ["mine.example", "system.example"].filter((host) => hostFiles({ ...found, uid }).settingsOf(host).insecure);
  expect(insecure(1000)).toEqual(["mine.example"]);
  expect(insecure(0)).toEqual(["system.example"]);
});

test("nothing is read before it is asked for, and a broken file is told at every question", async () => {
  const found = await machine({ "etc/docker/daemon.json": "{" });
  const files = hostFiles(found);
  for (let i = 0; i < 2; i++) {
    expect(fault(found.root, () => files.settingsOf("a.example"))).toBe(
      "INVALID: /etc/docker/daemon.json is not valid JSON: line 1, column 2",
    );
  }
});

test("a named directory of containerd's counts before the system's", async () => {
  const found = await machine({
    "mine/a.example/hosts.toml": '[host."https://mine.example"]\n',
    "etc/containerd/certs.d/a.example/hosts.toml": '[host."https://system.example"]\n',
  });
  const [first] = hostFiles({ ...found, containerdCertsDir: join(found.root, "mine") }).containerd();
  expect(first!.find("a.example")?.hosts[0]?.base?.host).toBe("mine.example");
});
