import { expect, test } from "vitest";
import { generic } from "../../src/provider/generic.ts";
import { providerContract } from "../contract/provider.ts";
import { silent } from "./support.ts";

providerContract({
  provider: generic,
  hosts: [],
  lookAlikes: ["registry.example"],
  challenges: [],
  silent: silent(generic, "registry.example"),
});

test("a filter that a plain catalog cannot answer is refused", async () => {
  const service = await silent(generic, "registry.example")();
  await expect(Array.fromAsync(service.search({ term: "app", official: true }))).rejects.toMatchObject({
    code: "UNSUPPORTED",
    host: "registry.example",
  });
});
