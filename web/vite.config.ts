import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

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

// The console is served below /console by `lethe serve`, from dist, which is part of the program.
export default defineConfig({
  base: '/console/',
  plugins: [react(), documentation()],
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
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
