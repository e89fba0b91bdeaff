import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../src/client.ts";
import { temporaryDirectory } from "./support/temporary.ts";

test("two accounts of one service, each with the login that its host's variables name", async () => {
  const signers: string[] = [];
  const server = createServer((request, response) => {
    const key = /Credential=(\w+)\/\d+\/([\w-]+)\//.exec(request.headers.authorization ?? "");
    if (key) signers.push(`${key[1]} in ${key[2]}`);
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end('{"repositories":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const home = await temporaryDirectory();
  await mkdir(join(home, ".aws"));
  const profile = (name: string, key: string): string =>
    `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = s3cret\n`;
  await writeFile(join(home, ".aws", "credentials"), profile("build", "KEYOFBUILD") + profile("prod", "KEYOFPROD"));

  const [build, prod] = ["111111111111", "222222222222"].map((account) => `${account}.dkr.ecr.eu-west-1.amazonaws.com`);
  const client = createClient({
    env: { HOME: home, AWS_EC2_METADATA_DISABLED: "true", AWS_PROFILE: "none" },
    hosts: {
      [build!]: { api, env: { AWS_PROFILE: "build" } },
      [prod!]: { api, env: { AWS_PROFILE: "prod" } },
    },
  });
  onTestFinished(() => client.close());
  for (const host of [build!, prod!, build!]) {
    await Array.fromAsync((await client.service(host)).listRepositories());
  }
  expect(signers).toEqual(["KEYOFBUILD in eu-west-1", "KEYOFPROD in eu-west-1", "KEYOFBUILD in eu-west-1"]);
});
