// Promotes an image, if it passes a gate of this program's own: node promote-with-a-gate.ts IMAGE PLACE.
import { createClient, readPromotions } from "gantry";
import { planPromotion, stagesOf, type Gate } from "gantry/policy";

const [image, place] = process.argv.slice(2);
const small: Gate = {
  name: "few tags",
  check: async ({ tags }) => ({ gate: "few tags", passed: tags.length < 4, message: `it gets ${tags.length} tags` }),
};

const client = createClient();
const now = (): Date => new Date();
const stages = stagesOf({ prod: { to: place!, tags: ["{tag}", "{major}.{minor}", "stable"] } });
const promotions = await readPromotions(client, {
  images: [image!],
  to: [stages.get("prod")!],
  stages,
  immutable: (tag) => /^\d+\.\d+\.\d+$/.test(tag),
  gates: { approvals: [], more: [small] },
  now,
});
const plan = planPromotion({ who: { name: "release-bot" }, tool: "release-bot 1.0" }, promotions, now());
const refused = plan.notes.filter(({ level }) => level === "refused");
const applied = refused.length === 0 ? await client.apply(plan) : undefined;
console.log(
  JSON.stringify({
    steps: plan.steps.map(({ do: what, at }) => `${what} ${at}`),
    complete: applied?.complete,
    refused,
  }),
);
await client.close();
