import { describe, expect, test } from "vitest";
import { streamOf } from "../../src/oci/stream.ts";
import { instantClock } from "../support/instant-clock.ts";
import { fault } from "./aws.ts";
import { ecrAnswers } from "./aws-answers.ts";
import { connect, host, thrown, using } from "./ecr-registry.ts";

describe("errors", () => {
  const arn = "arn:aws:sts::123456789012:assumed-role/ci/x";
  test.each([
    [
      "AccessDeniedException",
      `User: ${arn} is not authorized to perform: ecr:DescribeImages on resource: arn:x because no policy allows it`,
      "DENIED",
      /permission ecr:DescribeImages in account 123456789012 in eu-west-1/,
    ],
    ["AccessDeniedException", "", "DENIED", /permission ecr:DescribeImages/],
    ["RepositoryNotFoundException", "no", "NAME_UNKNOWN", /account and region/],
    ["ExpiredTokenException", "The security token included in the request is expired", "UNAUTHORIZED", /aws sso login/],
    ["UnrecognizedClientException", "The security token is invalid", "UNAUTHORIZED", /partition/],
    ["InvalidSignatureException", "Signature expired", "UNAUTHORIZED", /clock/],
    ["LimitExceededException", "limit", "DENIED", /Service Quotas/],
    ["OptInRequired", "opt in", "DENIED", /enable the region/],
    ["KmsException", "key disabled", "DENIED", /KMS/],
    ["InvalidParameterException", "bad\u001b[31m name", "INVALID", undefined],
    ["constructor", "what?", "UNKNOWN", undefined],
  ])("%s (%s) is %s", async (name, message, code, hint) => {
    const { service, calls } = await using({ DescribeImages: () => fault(name, message) });
    const error = await thrown(Array.fromAsync(service.images("team/app")));
    expect(error).toMatchObject({ code, host, status: 400 });
    expect(error.message).toContain("cannot list the images of");
    // oxlint-disable-next-line no-control-regex -- that there are none is the point
    expect(`${error.message}${error.hint}`).not.toMatch(/[\u0000-\u001f]/);
    if (hint) expect(error.hint).toMatch(hint);
    expect(calls).toHaveLength(1);
  });

  test("a throttled request waits and comes again, and is given up at last", async () => {
    let refusals = 2;
    const clock = instantClock();
    const passing = await using(
      { DescribeImages: () => (refusals-- > 0 ? fault("ThrottlingException", "Rate exceeded") : { imageDetails: [] }) },
      { clock },
    );
    expect(await Array.fromAsync(passing.service.images("team/app"))).toEqual([]);
    expect(clock.waits).toEqual([500, 1000]);
    const lasting = await using({ DescribeImages: () => fault("TooManyRequestsException") });
    const error = await thrown(Array.fromAsync(lasting.service.images("team/app")));
    expect(error).toMatchObject({ code: "TOOMANYREQUESTS", retryable: true });
    expect(lasting.calls).toHaveLength(6);
    const once = await using({ DescribeImages: () => fault("TooManyRequestsException") }, { retries: 0 });
    await thrown(Array.fromAsync(once.service.images("team/app")));
    expect(once.calls).toHaveLength(1);
  });

  test("a success without a word is not of AWS: nothing was created", async () => {
    const page = await connect(ecrAnswers, { transport: async () => ({ status: 200, headers: {}, body: streamOf() }) });
    const error = await thrown(page.createRepository("a/b"));
    expect(error).toMatchObject({ code: "NETWORK", hint: expect.stringContaining("AWS_ENDPOINT_URL") as string });
    expect(error.message).toMatch(/^cannot create .* does not answer as AWS does$/);
  });

  test("an image that is not there is said to be so in our words", async () => {
    const said = "The image with imageId {imageDigest:'null', imageTag:'9'} does not exist";
    const { service } = await using({ DescribeImageScanFindings: () => fault("ImageNotFoundException", said) });
    const error = await thrown(service.findings("a/b", "9"));
    expect(error).toMatchObject({ code: "MANIFEST_UNKNOWN" });
    expect(error.message).toContain("there is no such image in account 123456789012 in eu-west-1");
  });

  test("a server's failure, and what is no JSON", async () => {
    const down = await using({ DescribeImages: () => fault("ServerException", "oops", 500) });
    expect(await thrown(Array.fromAsync(down.service.images("a/b")))).toMatchObject({
      code: "UNAVAILABLE",
      status: 500,
    });
    const page = await connect(ecrAnswers, {
      transport: async () => ({
        status: 200,
        headers: { "content-type": "text/html" },
        body: (async function* () {
          yield Buffer.from("<html>log in to the hotel's network</html>");
        })(),
      }),
    });
    expect(await thrown(Array.fromAsync(page.images("a/b")))).toMatchObject({ code: "NETWORK" });
  });
});
