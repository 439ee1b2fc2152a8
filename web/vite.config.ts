import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** The API's documentation, served below /docs: Swagger UI as it is published, beside our page of public/docs. */
function documentation(): Plugin {
  const published = createRequire(import.meta.url)
  return {
    name: 'documentation',
    generateBundle() {
      for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'swagger-ui-bundle.js.LICENSE.txt']) {
        // What the browser would look for, and the server does not have.
        const source = readFileSync(published.resolve(`swagger-ui-dist/${name}`), 'utf8').replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*/, '')
        this.emitFile({ type: 'asset', fileName: `docs/${name}`, source })
      }
    },
  }
}

/** Beside each asset its form for browsers that read brotli, a seventh smaller than what the server makes by itself. */
function brotli(): Plugin {
  return {
    name: 'brotli',
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((n) => /^assets\/.*\.(js|css)$/.test(n))) {
        writeFileSync(join(dir!, `${name}.br`), brotliCompressSync(readFileSync(join(dir!, name))))
      }
    },
  }
}

// The console is served below /console by `lethe serve`, from dist, which is part of the program.
export default defineConfig({
  base: '/console/',
  plugins: [react(), documentation(), brotli()],
  build: {
    target: 'es2022',
    // The content security policy allows no data: address but images'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: {
    // `npm run dev` beside `make run`: the API answers as on one origin.
    proxy: Object.fromEntries(['/api', '/docs', '/openapi.json'].map((path) => [path, { target: process.env.API ?? 'http://127.0.0.1:8080', changeOrigin: true }])),
  },
  test: { environment: 'node', include: ['src/**/*.test.{ts,mjs}'] },
} as Parameters<typeof defineConfig>[0])
