import { createClient } from "../src/index.ts";
import { fakeServices, imageCount, serveFake, type FakeService } from "./support/fake-services.ts";
import { digits, spread, type Goal } from "./support/report.ts";
import { median, rounds } from "./support/rounds.ts";
import type { Scenario } from "./support/scenario.ts";

/** What every answer takes, in milliseconds. */
const latency = 20;

interface Sample {
  readonly requests: number;
  /** Requests that had come when the first image was there. */
  readonly untilFirst: number;
  readonly firstMs: number;
  readonly ms: number;
}

/** One repository with many images, listed with times and sizes. */
export const listing: Scenario = {
  name: "listing",
  about:
    `A repository of ${imageCount} images is listed with digest, tags, time of push and size, from fakes that answer as the services' ` +
    `documentation says, ${latency} ms after they were asked, in this very process.`,
  runs: 3,
  async run(settings) {
    const contenders = fakeServices.map((fake) => ({ name: fake.provider, run: () => list(fake) }));
    const samples = await rounds("listing", contenders, settings);
    const of = (fake: FakeService, what: keyof Sample): readonly number[] =>
      (samples.get(fake.provider) ?? []).map((sample) => sample[what]);
    return {
      tables: [
        {
          title: `${imageCount} images`,
          head: ["", "requests", "fewest possible", "until the first image", "ms until then", "ms in all"],
          rows: fakeServices.map((fake) => [
            fake.provider,
            digits(median(of(fake, "requests"))),
            digits(fake.leastRequests),
            digits(median(of(fake, "untilFirst"))),
            spread(of(fake, "firstMs")),
            spread(of(fake, "ms")),
          ]),
        },
      ],
      goals: fakeServices.flatMap((fake): Goal[] => [
        {
          what: `${fake.provider}: requests`,
          value: Math.max(...of(fake, "requests")),
          most: fake.leastRequests,
          unit: "",
        },
        {
          what: `${fake.provider}: requests until the first image`,
          value: Math.max(...of(fake, "untilFirst")),
          most: 2,
          unit: "",
        },
      ]),
    };
  },
};

async function list(fake: FakeService): Promise<Sample> {
  await using served = await serveFake(fake, latency);
  const { provider, repository, env = {} } = fake;
  const settings = { provider, api: `http://${served.host}` };
  const client = createClient({ env: { HOME: "/nonexistent", ...env }, hosts: { [served.host]: settings } });
  try {
    const began = performance.now();
    let first: Pick<Sample, "untilFirst" | "firstMs"> | undefined;
    let images = 0;
    for await (const image of (await client.service(served.host)).images(repository)) {
      first ??= { untilFirst: served.requests(), firstMs: performance.now() - began };
      if (!image.digest || !image.pushed || image.size === undefined)
        throw new Error(`${provider}: ${JSON.stringify(image)}`);
      images++;
    }
    if (images !== imageCount || !first) throw new Error(`${provider}: ${images} images`);
    return { ...first, requests: served.requests(), ms: performance.now() - began };
  } finally {
    await client.close();
  }
}
