// npm's prepare script: builds a checkout after `npm ci`. `npx ggml-encoder` inside the checkout makes npm prepare the
// folder once more, unseen; there is nothing to do then.
import { execSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const isBuilt = ['dist/index.js', 'build/Release/ggml_encoder.node'].every((file) => existsSync(path.join(root, file)));

if (process.env.npm_command !== 'exec' || !isBuilt) {
  execSync('npm run build', { cwd: root, stdio: 'inherit' });
}
