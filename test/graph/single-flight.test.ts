import { expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { singleFlight } from "../../src/graph/single-flight.ts";

/** A promise and its ends. */
function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => ((resolve = yes), (reject = no)));
  return { promise, resolve, reject };
}

const unused = (): Promise<never> => Promise.reject(new Error("asked for a second time"));

test("who asks while it runs, or after it succeeded, shares the result", async () => {
  const flights = singleFlight<string, number>();
  const work = deferred<number>();
  const first = flights.run("a", undefined, () => work.promise);
  const second = flights.run("a", undefined, unused);
  work.resolve(7);
  expect(await first).toEqual({ value: 7, first: true });
  expect(await second).toEqual({ value: 7, first: false });
  expect(await flights.run("a", undefined, unused)).toEqual({ value: 7, first: false });
});

test("keys do not mix", async () => {
  const flights = singleFlight<string, string>();
  const run = async (key: string) => (await flights.run(key, undefined, () => Promise.resolve(key))).value;
  expect(await Promise.all(["a", "b", "a"].map(run))).toEqual(["a", "b", "a"]);
});

test("a failure reaches all who wait, and is forgotten", async () => {
  const flights = singleFlight<string, number>();
  const failure = new RegistryError("UNAVAILABLE", "not now");
  const work = deferred<number>();
  const waiting = [flights.run("a", undefined, () => work.promise), flights.run("a", undefined, unused)];
  work.reject(failure);
  expect(await Promise.allSettled(waiting)).toEqual([
    { status: "rejected", reason: failure },
    { status: "rejected", reason: failure },
  ]);
  expect(await flights.run("a", undefined, () => Promise.resolve(1))).toEqual({ value: 1, first: true });
});

test("work that does not even begin is forgotten too", async () => {
  const flights = singleFlight<string, number>();
  const throwing = (): Promise<number> => {
    throw new Error("no");
  };
  await expect(flights.run("a", undefined, throwing)).rejects.toThrow("no");
  expect((await flights.run("a", undefined, () => Promise.resolve(1))).first).toBe(true);
});

test.each([new RegistryError("ABORTED", "stopped"), new DOMException("stopped", "AbortError")])(
  "work that its leader aborted is begun anew, once, for those who wait (%s)",
  async (abort) => {
    const flights = singleFlight<string, number>();
    const work = deferred<number>();
    let begun = 0;
    const again = (): Promise<number> => ((begun += 1), Promise.resolve(7));
    const leader = flights.run("a", AbortSignal.abort(), () => work.promise);
    const others = [undefined, new AbortController().signal, undefined].map((signal) =>
      flights.run("a", signal, again),
    );
    work.reject(abort);
    await expect(leader).rejects.toBe(abort);
    const values = await Promise.all(others);
    expect(values.map(({ value }) => value)).toEqual([7, 7, 7]);
    expect(values.filter(({ first }) => first)).toHaveLength(1);
    expect(begun).toBe(1);
  },
);

test("who was aborted too does not begin anew", async () => {
  const flights = singleFlight<string, number>();
  const work = deferred<number>();
  const stop = new AbortController();
  const abort = new RegistryError("ABORTED", "stopped");
  const waiting = [flights.run("a", stop.signal, () => work.promise), flights.run("a", stop.signal, unused)];
  stop.abort();
  work.reject(abort);
  expect(await Promise.allSettled(waiting)).toEqual([
    { status: "rejected", reason: abort },
    { status: "rejected", reason: abort },
  ]);
});

test("who leads the second try and is aborted hands over to the third", async () => {
  const flights = singleFlight<string, number>();
  const abort = new RegistryError("ABORTED", "stopped");
  const tries = [deferred<number>(), deferred<number>(), deferred<number>()];
  const runs = tries.map(({ promise }) => flights.run("a", undefined, () => promise));
  tries[0]!.reject(abort);
  tries[1]!.reject(abort);
  tries[2]!.resolve(3);
  const [first, second, third] = await Promise.allSettled(runs);
  expect([first!.status, second!.status]).toEqual(["rejected", "rejected"]);
  expect(third).toEqual({ status: "fulfilled", value: { value: 3, first: true } });
});
