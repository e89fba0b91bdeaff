import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { kubeconfig, kubernetes, secretObject, serviceAccount } from "../auth/kubernetes.ts";
import { base64 } from "../contract/credentials.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry } from "./support.ts";

test.each([
  [{ enabled: true, namespace: "team", serviceAccount: "builder" }, true],
  [{ enabled: false, namespace: "team", serviceAccount: "builder" }, false],
  [{ namespace: "team" }, false],
])("pull secrets are asked for as the configuration says: %j", async (settings, isAsked) => {
  const { host } = await testRegistry();
  const logins = { auths: { [host]: { auth: base64("ann:s3cret") } } };
  const { url, requests } = await kubernetes({
    ...serviceAccount("team", "builder", "one"),
    ...secretObject("team", "one", "kubernetes.io/dockerconfigjson", { ".dockerconfigjson": JSON.stringify(logins) }),
  });
  const home = await temporaryDirectory();
  const file = join(home, "gantry-config.yaml");
  await writeFile(file, stringify({ kubernetes: { ...settings, kubeconfig: await kubeconfig(url) } }));
  const words = ["auth", "why", `${host}/app:1`, "--config", file, "--format", "json"];
  const { stdout, stderr } = await gantry(words, { env: { HOME: home } });
  expect(stderr).toBe("");
  const { credential } = JSON.parse(stdout) as { credential?: { origin: string } };
  expect(credential?.origin.startsWith("the secret team/one") ?? false).toBe(isAsked);
  expect(requests.length > 0).toBe(isAsked);
});
