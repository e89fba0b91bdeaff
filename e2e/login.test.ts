import { chmod, mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeImage } from "./support/images.ts";
import { describeWith, type PeerName } from "./support/peers.ts";
import { startDockerRegistry, startGantryRegistry, type RunningRegistry } from "./support/registries.ts";
import { must, root, type Outcome } from "./support/run.ts";
import { another, openUser, password, wrong, type User } from "./support/user.ts";

// What one program logs in to, the others can pull from; each as it is, with the files that it reads by itself.
let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-login-"));
  await makeImage(join(work, "layout"), { tag: "v1" });
});
afterAll(() => rm(work, { recursive: true, force: true }));
const user = (): Promise<User> => openUser(work);

const loginArgs = (host: string): readonly string[] => ["login", host, "-u", "alice", "--password-stdin"];
interface Reader {
  readonly name: PeerName;
  /** Reads an image of a registry in plain HTTP, with the logins there are. */
  readonly read: (host: string, home: string) => readonly string[];
  /** Whose files it looks into. */
  readonly files: readonly ("docker" | "podman")[];
}

const readers: readonly Reader[] = [
  {
    name: "skopeo",
    read: (host) => ["inspect", "--raw", "--tls-verify=false", `docker://${host}/app:v1`],
    files: ["docker", "podman"],
  },
  {
    name: "podman",
    read: (host, home) => [...podmanStorage(home), "pull", "-q", "--tls-verify=false", `${host}/app:v1`],
    files: ["docker", "podman"],
  },
  { name: "docker", read: (host) => ["manifest", "inspect", "--insecure", `${host}/app:v1`], files: ["docker"] },
  { name: "crane", read: (host) => ["manifest", "--insecure", `${host}/app:v1`], files: ["docker"] },
  { name: "oras", read: (host) => ["manifest", "fetch", "--plain-http", `${host}/app:v1`], files: ["docker"] },
];

function readBy(name: PeerName, host: string, home: string): readonly string[] {
  return readers.find((one) => one.name === name)!.read(host, home);
}

function podmanStorage(home: string): readonly string[] {
  const at = (path: string): string => join(home, "p", path);
  const places = ["--root", at("root"), "--runroot", at("run"), "--tmpdir", at("tmp"), "--storage-driver", "vfs"];
  return [...places, "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
}

/** How others log in. */
const writers: readonly (readonly [PeerName, (host: string) => readonly string[]])[] = [
  ["skopeo", (host) => ["login", "--tls-verify=false", "-u", "alice", "--password-stdin", host]],
  ["podman", (host) => ["login", "--tls-verify=false", "-u", "alice", "--password-stdin", host]],
  ["docker", (host) => ["login", "-u", "alice", "--password-stdin", host]],
  ["crane", (host) => ["auth", "login", "-u", "alice", "--password-stdin", host]],
  ["oras", (host) => ["login", "--plain-http", "-u", "alice", "--password-stdin", host]],
];

const registries: readonly (readonly [string, readonly PeerName[], () => Promise<RunningRegistry>])[] = [
  ["gantry serve, with tokens", [], () => startGantryRegistry({ htpasswd: { alice: password } })],
  ["docker-registry, with Basic", ["docker-registry"], () => startDockerRegistry({ htpasswd: { alice: password } })],
];

describe.each(registries)("%s", (_, needed, launch) => {
  describeWith(needed, "and its logins", () => {
    let registry: RunningRegistry;
    let host: string;
    beforeAll(async () => {
      registry = await launch();
      ({ host } = registry);
      const { gantry } = await user();
      const args = ["copy", `oci:${work}/layout:v1`, `${host}/app:v1`, "--creds", "alice", "--password-stdin"];
      await must(gantry(args, { stdin: password }));
    });
    afterAll(() => registry?.stop());

    for (const { name, read, files } of readers) {
      describeWith(name, `${name} uses what gantry has logged in to`, () => {
        test.each(files)("in the files of %s", async (compat) => {
          const { gantry, peer, home, at, write } = await user();
          await write(".docker/config.json", { auths: another });
          expect((await peer(name, read(host, home))).code).not.toBe(0);
          await must(gantry([...loginArgs(host), "--compat", compat], { stdin: password }));
          const file = compat === "docker" ? ".docker/config.json" : "run/containers/auth.json";
          expect((await stat(at(file))).mode & 0o777).toBe(0o600);
          await must(peer(name, read(host, home)));
          await must(gantry(["logout", host]));
          expect((await peer(name, read(host, home))).code).not.toBe(0);
        });
      });
    }

    for (const [name, logIn] of writers) {
      describeWith(name, `gantry uses what ${name} has logged in to`, () => {
        test("and logs out of it", async () => {
          const { gantry, peer, write } = await user();
          await write(".docker/config.json", { auths: another });
          await must(peer(name, logIn(host), { stdin: password }));
          const { code, stdout } = await gantry(["auth", "why", `${host}/app:v1`]);
          expect([code, stdout]).toEqual([0, expect.stringMatching(/\.json: auths\["[^]*pull allowed/)]);
          await must(gantry(["digest", `${host}/app:v1`]));
          await must(gantry(["logout", host]));
          expect((await gantry(["digest", `${host}/app:v1`])).code).toBe(4);
        });
      });
    }

    test("a wrong password is refused and nothing is kept", async () => {
      const { gantry, at } = await user();
      const { code, stdout } = await gantry(loginArgs(host), { stdin: wrong });
      expect([code, stdout]).toEqual([4, ""]);
      await expect(stat(at(".docker"))).rejects.toThrow("ENOENT");
    });

    test("a helper that the file names keeps it, and a pull asks that helper", async () => {
      const { gantry, write, at } = await user();
      await write(
        "bin/docker-credential-test",
        `#!/bin/sh\ncase $1 in store) cat > "$HOME/kept";; get) cat "$HOME/kept";; esac\n`,
      );
      await chmod(at("bin/docker-credential-test"), 0o755);
      await write(".docker/config.json", { credHelpers: { [host]: "test" } });
      await must(gantry(loginArgs(host), { stdin: password }));
      expect((await gantry(["auth", "why", `${host}/app:v1`])).stdout).toContain("(docker-credential-test)");
      await must(gantry(["digest", `${host}/app:v1`]));
    });

    describeWith("docker", "docker with gantry as its helper", () => {
      test("logs in, pulls, lists and logs out", async () => {
        const { gantry, peer, write, at, home } = await user();
        await symlink(join(root, "bin", "docker-credential-gantry"), at("bin/docker-credential-gantry"));
        await write(".docker/config.json", { credsStore: "gantry" });
        await must(peer("docker", ["login", "-u", "alice", "--password-stdin", host], { stdin: password }));
        expect(JSON.parse(await readFile(at(".docker/config.json"), "utf8"))).toEqual({
          auths: { [host]: {} },
          credsStore: "gantry",
        });
        expect(Object.keys(JSON.parse(await must(gantry(["auth", "helper", "list"]))) as object)).toEqual([host]);
        const read = (): Promise<Outcome> => peer("docker", readBy("docker", host, home));
        await must(read());
        await must(gantry(["digest", `${host}/app:v1`]));
        await must(peer("docker", ["logout", host]));
        expect(await must(gantry(["auth", "helper", "list"]))).toBe("{}");
        expect((await read()).code).not.toBe(0);
      });
    });

    describeWith(["podman", "skopeo"], "podman and skopeo with gantry as their helper", () => {
      test("pull what gantry has logged in to, and what it finds elsewhere", async () => {
        const { gantry, peer, write, at, home } = await user();
        await symlink(join(root, "bin", "docker-credential-gantry"), at("bin/docker-credential-gantry"));
        const file = await write("run/containers/auth.json", { credHelpers: { [host]: "gantry" } });
        await must(gantry(loginArgs(host), { stdin: password }));
        expect(await readFile(file, "utf8")).not.toContain("identitytoken");
        for (const name of ["skopeo", "podman"] as const) await must(peer(name, readBy(name, host, home)));
        await must(gantry(["logout", host]));
        const skopeo = (): Promise<Outcome> => peer("skopeo", readBy("skopeo", host, home));
        expect((await skopeo()).code).not.toBe(0);
        await write(".docker/config.json", { auths: { [host]: { auth: btoa(`alice:${password}`) } } });
        await must(skopeo());
      });
    });
  });
});
