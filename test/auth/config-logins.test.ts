import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configSource, type ConfigLogin } from "../../src/auth/config-logins.ts";
import { helperLogins } from "../../src/auth/helper-logins.ts";
import { apiHost } from "../../src/oci/reference.ts";
import { base64, credentialContract, lineOf, secret } from "../contract/credentials.ts";
import { programs } from "../support/programs.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const origin = "gantry.yaml: registries";

credentialContract("Gantry's configuration", {
  filled: ({ host }) => configSource({ [host]: { username: "ann", password: secret } }, origin),
  empty: () => configSource({}, origin),
  broken: {
    source: ({ host }) => configSource({ [host]: { password: secret } }, origin),
    message: /^gantry\.yaml: registries\["registry\.example:5000"\] has a password, but no username$/,
  },
});

async function file(text: string, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), "file");
  await writeFile(path, text, { mode });
  return path;
}

describe("a login", () => {
  test("with each of its ways, the first of which counts", async () => {
    const auths = { auths: { "r.example": { auth: base64("file:pw") } } };
    const { PATH } = await programs({
      "docker-credential-mine": `echo '{"Username":"helper","Secret":"pw"}'`,
    });
    const all: ConfigLogin = {
      username: "ann",
      password: "pw",
      passwordFile: await file("from file\r\nsecond line\n"),
      identityToken: "identity",
      token: "token",
      credHelper: "mine",
      authFile: await file(JSON.stringify(auths)),
    };
    const find = async (login: ConfigLogin): Promise<string> =>
      lineOf(
        await configSource({ "r.example": login }, origin, { helpers: helperLogins({ env: { PATH } }) }).find(
          "r.example",
          "app",
        ),
      );
    const without = (...fields: readonly (keyof ConfigLogin)[]): ConfigLogin =>
      Object.fromEntries(Object.entries(all).filter(([field]) => !fields.includes(field as keyof ConfigLogin)));
    expect(await find(all)).toBe("basic ann:pw");
    expect(await find(without("password"))).toBe("basic ann:from file");
    const user = ["username", "password", "passwordFile"] as const;
    expect(await find(without(...user))).toBe("identity identity");
    expect(await find(without(...user, "identityToken"))).toBe("bearer token");
    expect(await find(without(...user, "identityToken", "token"))).toBe("basic helper:pw");
    expect(await find(without(...user, "identityToken", "token", "credHelper"))).toBe("basic file:pw");
    expect(await find({})).toBe("none");
  });

  test("of the longest path wins, by any name of the host", async () => {
    const source = configSource(
      { "docker.io": { token: "hub" }, "docker.io/acme": { token: "acme" }, "https://R.example/v2/": { token: "r" } },
      origin,
    );
    expect(lineOf(await source.find(apiHost("docker.io"), "library/alpine"))).toBe("bearer hub");
    expect(await source.find(apiHost("docker.io"), "acme/app")).toMatchObject({
      origin: `${origin}["docker.io/acme"]`,
    });
    expect(lineOf(await source.find("r.example", "app"))).toBe("bearer r");
  });

  test("one with nothing leaves it to the next", async () => {
    const source = configSource({ "r.example/team": {}, "r.example": { token: "host" } }, origin);
    expect(lineOf(await source.find("r.example", "team/app"))).toBe("bearer host");
  });

  test.each<[ConfigLogin, RegExp]>([
    [{ username: "ann" }, /registries\["r\.example"\] has a username, but no password$/],
    [{ passwordFile: "/x" }, /registries\["r\.example"\] has a password, but no username$/],
    [
      { username: "ann", passwordFile: "/no/such/file" },
      /registries\["r\.example"\] names the file \/no\/such\/file, which is not there$/,
    ],
    [{ authFile: "/no/such/file" }, /^\/no\/such\/file is not there$/],
    [{ username: "ann", passwordFile: "/" }, /^\/ is not a file$/],
    [
      { username: "ann", passwordFile: "/dev/null" },
      /^\/dev\/null, which gantry\.yaml: registries\["r\.example"\] names, has no password/,
    ],
  ])("%j is INVALID", async (login, message) => {
    await expect(configSource({ "r.example": login }, origin).find("r.example", "")).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(message) as string,
    });
  });

  test("in a file that others can read is told of", async () => {
    const warnings: string[] = [];
    const passwordFile = await file("pw", 0o644);
    const source = configSource({ "r.example": { username: "ann", passwordFile } }, origin, {
      onWarning: (text) => warnings.push(text),
    });
    await source.find("r.example", "");
    expect(warnings).toEqual([expect.stringContaining(passwordFile)]);
  });
});
