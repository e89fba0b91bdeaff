import * as fc from "fast-check";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { parseEcrHost } from "../../src/provider/ecr/host.ts";
import { ecr } from "../../src/provider/ecr/provider.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { providerContract } from "../contract/provider.ts";
import { awsEnv } from "./aws.ts";
import { connect, host, thrown, using } from "./ecr-registry.ts";

const own = [
  host,
  `${host}:443`,
  "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
  "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
  "123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com",
  "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
  "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
  "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
  "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
  "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
  "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
  "123456789012.dkr-ecr.us-west-2.on.aws",
  "123456789012.dkr-ecr-fips.us-west-2.on.aws",
  "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
];

providerContract({
  provider: ecr,
  hosts: own,
  lookAlikes: [
    "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
    "1234567890123.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.org",
    "123456789012.dkr.ecr.eu-west-1.evil.test",
    "123456789012.dkr.ecr.evil.test/amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.evil-amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonawsxcom",
    "123456789012xdkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.amazonaws.com",
    "123456789012.dkr.ecr.eu-west.amazonaws.com",
    "123456789012.dkr-ecr.us-west-2.amazonaws.com",
    "123456789012.dkr.ecr.us-west-2.on.aws",
    "123456789012.s3.eu-west-1.amazonaws.com",
    `${host}:5000`,
    `${host}\n.evil.test`,
    "",
  ],
  challenges: [{ host, header: `Basic realm="https://${host}/",service="ecr.amazonaws.com"` }],
  silent: () => connect({}, { transport: undefined }),
});

test.each([
  ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", { region: "us-gov-west-1", fips: true, dualStack: false }],
  ["123456789012.DKR-ECR.EU-West-1.on.aws", { region: "eu-west-1", fips: false, dualStack: true }],
])("the host %s tells region and kind", (name, place) => {
  expect(parseEcrHost(name)).toEqual({ account: "123456789012", ...place });
});

test("whatever is put into a host, or taken out, only names below AWS's own domains are taken", () => {
  const stray = fc.oneof(
    fc.constantFrom(
      ".",
      "-",
      "/",
      "@",
      "#",
      "\n",
      "%2e",
      ":443",
      ".evil.test",
      "evil.test/",
      "amazonaws.com",
      "-fips",
      "",
    ),
    fc.string({ maxLength: 3 }),
  );
  const spot = fc.nat({ max: 60 });
  fc.assert(
    fc.property(fc.constantFrom(...own), spot, fc.nat({ max: 3 }), stray, (name, at, taken, put) => {
      const changed = name.slice(0, at) + put + name.slice(at + taken);
      const found = parseEcrHost(changed);
      if (!found) return;
      const { hostname, host: full, pathname, username } = new URL(`https://${changed}`);
      expect([pathname, username, full]).toEqual(["/", "", changed.toLowerCase().replace(/:443$/, "")]);
      expect(hostname).toMatch(/^\d{12}\.dkr[.-]ecr(-fips)?\.[a-z-]+-\d+\./);
      const domain = hostname.slice(hostname.indexOf(found.region) + found.region.length + 1);
      expect(own.some((host) => host.replace(/:443$/, "").endsWith(`.${domain}`))).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

describe("the API that is asked", () => {
  test.each([
    [host, {}, "api.ecr.eu-west-1.amazonaws.com"],
    ["123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", {}, "api.ecr-fips.us-east-1.amazonaws.com"],
    [host, { AWS_USE_DUALSTACK_ENDPOINT: "true" }, "ecr.eu-west-1.api.aws"],
    ["123456789012.dkr-ecr.us-west-2.on.aws", {}, "ecr.us-west-2.api.aws"],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", {}, "api.ecr.cn-north-1.amazonaws.com.cn"],
    ["123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", {}, "api.ecr.us-iso-east-1.c2s.ic.gov"],
    ["123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", {}, "api.ecr.eusc-de-east-1.amazonaws.eu"],
    [host, { AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "us-east-2" }, "api.ecr.eu-west-1.amazonaws.com"],
    ["registry.acme.example", { AWS_REGION: "sa-east-1" }, "api.ecr.sa-east-1.amazonaws.com"],
    [host, { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_ENDPOINT_URL_ECR: "http://127.0.0.1:2" }, "127.0.0.1:2"],
    [
      host,
      { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
      "api.ecr.eu-west-1.amazonaws.com",
    ],
  ])("for %s with %j it is %s", async (at, env, asked) => {
    const { service, calls } = await using({}, { env: { ...awsEnv, ...env } }, at);
    await service.describeRepository("team/app");
    expect(calls.map((call) => call.host)).toEqual([asked]);
    const registryId = at.startsWith("1") ? "123456789012" : undefined;
    expect(calls[0]!.request["registryId"]).toBe(registryId);
    expect(calls[0]!.headers["authorization"]).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\//);
  });

  test("without a variable it is the profile's, which the SDK reads from the process's own file", async () => {
    const path = join(await temporaryDirectory(), "config");
    await writeFile(
      path,
      "[default]\nservices = local\n[services local]\necr =\n  endpoint_url = http://127.0.0.1:4\n",
    );
    vi.stubEnv("AWS_CONFIG_FILE", path);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { service, calls } = await using({});
    await service.describeRepository("team/app");
    expect(calls[0]!.host).toBe("127.0.0.1:4");
  });

  test("our configuration counts before the variables", async () => {
    const env = { ...awsEnv, AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    const { service, calls } = await using({}, { env, api: () => "http://localhost:3" });
    await service.describeRepository("team/app");
    expect(calls[0]!.host).toBe("localhost:3");
  });

  test.each(["http://api.example", "ftp://x", "https://user:pw@x.example", "nonsense"])(
    "nothing is sent to %s",
    async (AWS_ENDPOINT_URL) => {
      const { service, calls } = await using({}, { env: { ...awsEnv, AWS_ENDPOINT_URL } });
      const error = await thrown(service.describeRepository("team/app"));
      expect(["INVALID", "UNAUTHORIZED"]).toContain(error.code);
      expect(error.message).not.toContain("pw");
      expect(calls).toEqual([]);
    },
  );

  test("behind a name of the user's own, something has to say the region", async () => {
    const { service } = await using({}, {}, "registry.acme.example");
    expect(await thrown(service.describeRepository("a/b"))).toMatchObject({ code: "INVALID", hint: "set AWS_REGION" });
  });

  test("without an AWS login, what the distribution API can do goes by that, the rest says what it takes", async () => {
    const env = { AWS_EC2_METADATA_DISABLED: "true" };
    const { service, calls } = await using({}, { env });
    expect(await thrown(service.lifecycle("team/app"))).toMatchObject({ code: "UNAUTHORIZED", host });
    expect(await thrown(Array.fromAsync(service.images("team/app")))).toMatchObject({ code: "NETWORK" });
    expect(calls).toEqual([]);
  });
});
