import { expect, test } from "vitest";
import { hostsOf, type Hosts } from "../../src/hosts/hosts.ts";
import type { HostSettings } from "../../src/transport/host-settings.ts";
import { tlsContexts } from "../../src/transport/tls.ts";
import { machine } from "./machine.ts";

async function hosts(
  settings: Readonly<Record<string, HostSettings>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Hosts> {
  return hostsOf({ ...(await machine(files)), settings, now: () => 0 });
}

test.each([
  ["docker.io", "registry-1.docker.io"],
  ["index.docker.io", "registry-1.docker.io"],
  ["registry-1.docker.io", "registry-1.docker.io"],
  ["registry.example:443", "registry.example"],
  ["Registry.Example:5000", "registry.example:5000"],
  ["[0:0:0:0:0:0:0:1]:5000", "[::1]:5000"],
])("what is said of %j holds for %j in URLs", async (name, inUrls) => {
  const { settingsOf } = await hosts({ [name]: { address: "192.0.2.1" }, "*": { quotaReserve: 1 } });
  expect(settingsOf(inUrls)).toEqual({ address: "192.0.2.1", quotaReserve: 1 });
  expect(settingsOf("other.example")).toEqual({ quotaReserve: 1 });
});

test("what is said of one host by several of its names is said of it together", async () => {
  const { settingsOf } = await hosts({
    "docker.io": { address: "192.0.2.1", headers: { a: "1" } },
    "index.docker.io": { address: "192.0.2.2", headers: { b: "2" } },
  });
  expect(settingsOf("registry-1.docker.io")).toEqual({ address: "192.0.2.1", headers: { a: "1", b: "2" } });
});

test.each([
  [false, true],
  [true, false],
])("insecure %j of the user counts before skip_verify of hosts.toml", async (insecure, rejectUnauthorized) => {
  const toml = `server = "https://registry.example"\nskip_verify = ${!insecure}\n`;
  const { settingsOf } = await hosts(
    { "registry.example": { insecure } },
    { "etc/containerd/certs.d/registry.example/hosts.toml": toml },
  );
  const { rejectUnauthorized: checked = true } = tlsContexts(settingsOf)("registry.example") ?? {};
  expect(checked).toBe(rejectUnauthorized);
});

test("skip_verify = false of hosts.toml counts before insecure of registries.conf, and not against the user", async () => {
  const { settingsOf } = await hosts(
    {},
    {
      "etc/containerd/certs.d/registry.example/hosts.toml": `server = "https://registry.example"\nskip_verify = false\n`,
      "etc/containers/registries.conf": `[[registry]]\nlocation = "registry.example"\ninsecure = true\n`,
    },
  );
  expect(tlsContexts(settingsOf)("registry.example")?.rejectUnauthorized ?? true).toBe(true);
});
