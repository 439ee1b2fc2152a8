import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The console is served below /console by `lethe serve`, from dist, which is part of the program.
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: {
    target: 'es2022',
    // The content security policy allows no data: address but images'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: {
    // `npm run dev` beside `make run`: the API answers as on one origin.
    proxy: Object.fromEntries(['/api', '/docs', '/openapi.json'].map((path) => [path, { target: 'http://127.0.0.1:8080', changeOrigin: true }])),
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
