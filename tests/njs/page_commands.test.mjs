// The commands of the page, for what can be a name.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { beforeEach, test } from 'node:test';

import { commands } from '../../k8s_manifests/page/commands.js';

const NAMES = JSON.parse(fs.readFileSync(new URL('../fakes/repository_names.json', import.meta.url), 'utf8'));

beforeEach(() => {
    globalThis.document = {
        body: { dataset: { domain: 'registry.example.net' } },
        createElement: name => ({ name, setAttribute: () => {}, append: () => {} }),
        querySelectorAll: () => [],
    };
});

test('a name that ECR has gets commands, and any other gets a sentence', () => {
    NAMES.valid.forEach(name => assert.equal(commands(name, {}).name, 'ul', name));
    [...NAMES.invalid, 'a`id`', '', 'team//app'].forEach(name => assert.equal(commands(name, {}).name, 'p', name));
});
