import { expect, test } from "vitest";
import { ecrTerraform } from "../../../src/policy/lifecycle/ecr/terraform.ts";
import { ecrPolicy } from "../../cli/lifecycle-scene.ts";

test("a policy of ECR as Terraform has it", () => {
  expect(ecrTerraform(ecrPolicy, { repositories: ["team/app"] })).toBe(`resource "aws_ecr_lifecycle_policy" "team_app" {
  repository = "team/app"

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "builds of branches"
        selection = {
          tagStatus      = "tagged"
          tagPatternList = ["dev-*"]
          countType      = "sinceImagePushed"
          countUnit      = "days"
          countNumber    = 14
        }
        action = {
          type = "expire"
        }
      },
      {
        rulePriority = 2
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = 10
        }
        action = {
          type = "expire"
        }
      }
    ]
  })
}
`);
});

test("with its repositories, whose tags move or do not; each has a name of its own", () => {
  const text = ecrTerraform(ecrPolicy, { repositories: ["a/b", "a.b", "1"], mutability: "IMMUTABLE" });
  expect(text.match(/^resource .*$/gm)).toEqual([
    'resource "aws_ecr_repository" "a_b" {',
    'resource "aws_ecr_lifecycle_policy" "a_b" {',
    'resource "aws_ecr_repository" "a_b_2" {',
    'resource "aws_ecr_lifecycle_policy" "a_b_2" {',
    'resource "aws_ecr_repository" "_1" {',
    'resource "aws_ecr_lifecycle_policy" "_1" {',
  ]);
  expect(text).toContain('  name                 = "a.b"\n  image_tag_mutability = "IMMUTABLE"\n');
  expect(text).toContain("  repository = aws_ecr_repository.a_b_2.name\n");
});

test("nothing in a text is a template", () => {
  const [rule] = ecrPolicy.rules;
  const text = ecrTerraform(
    { rules: [{ ...rule, description: 'a "${b}" %{if c}\n\\ d$' }] },
    { repositories: ["app"] },
  );
  expect(text).toContain(String.raw`description  = "a \"$$` + String.raw`{b}\" %%{if c}\n\\ d$"`);
});

test("a document that ECR would refuse is refused", () => {
  expect(() => ecrTerraform({ rules: [] }, { repositories: ["app"] })).toThrow(/no policy that ecr takes/);
});
