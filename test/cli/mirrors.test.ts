import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry } from "./support.ts";

const app = image("app");
const { digest } = app.manifest.descriptor;

test("--mirror names mirrors of a host, which are asked in their order; one that fails is told once", async () => {
  const mirror = await testRegistry();
  await putImage(mirror.store("hub/app"), app, "1");
  const { code, stdout, stderr } = await gantry([
    "manifest",
    "--mirror",
    `registry.invalid=127.0.0.1:1/hub,${mirror.host}/hub`,
    "registry.invalid/app:1",
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: Buffer.from(app.manifest.bytes).toString() });
  expect(stderr).toBe("registry.invalid: its mirror 127.0.0.1:1 failed (NETWORK) and is left alone for 1m 00s\n");
});

test("--no-mirrors asks none, whatever the machine's files say", async () => {
  const [origin, mirror] = [await testRegistry(), await testRegistry()];
  await putImage(origin.store("app"), app, "1");
  await putImage(mirror.store("app"), image("other"), "1");
  const conf = join(await temporaryDirectory(), "registries.conf");
  await writeFile(
    conf,
    `[[registry]]\nlocation = "${origin.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`,
  );
  const ask = async (...words: string[]): Promise<string> =>
    (await gantry(["digest", ...words, "--registries-conf", conf, `${origin.host}/app:1`])).stdout.trim();
  expect(await ask()).not.toBe(digest);
  expect(await ask("--no-mirrors")).toBe(digest);
  expect((await gantry(["ls", "--registries-conf", conf, `${origin.host}/app`])).stdout).toBe("1\n");
});

test("what is blocked is refused with the file that says so, and not as a matter of logins", async () => {
  const conf = join(await temporaryDirectory(), "registries.conf");
  await writeFile(conf, '[[registry]]\nlocation = "bad.example"\nblocked = true\n');
  const { code, stderr } = await gantry(["digest", "--registries-conf", conf, "bad.example/app:1"]);
  expect(code).toBe(4);
  expect(stderr).toContain(`bad.example/app is blocked: ${conf}: [[registry]] "bad.example" says so`);
  expect(stderr).not.toMatch(/login|account/);
});

test.each([
  [["--mirror", "mirror.example"], '--mirror: "mirror.example" is not HOST=MIRROR'],
  [["--mirror", "a.example/x=mirror.example"], '--mirror: "a.example/x=mirror.example" is not HOST=MIRROR'],
  [["--mirror", "a.example="], '--mirror: "a.example=" is not HOST=MIRROR'],
  [["--mirror", "a.example=mirror"], 'the mirrors set for a.example: "mirror/app" is no repository of a host'],
  [["--cert-dir", "/absent"], "/absent: there is no such directory, or it may not be read"],
  [["--cert-file", "/absent"], "/absent is not there"],
  [["--key-file", "/absent"], "--key-file is given without --cert-file"],
  [["--registries-conf", "/absent"], "/absent is not there"],
])("%j is not right", async (words, message) => {
  const { code, stderr } = await gantry(["digest", ...words, "a.example/app:1"]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
