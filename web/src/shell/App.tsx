import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { App as AntApp, Button, ConfigProvider, Skeleton } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import dayjs from 'dayjs'
import 'dayjs/locale/zh-cn'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { createBrowserRouter, Link, RouterProvider, useRouteError } from 'react-router'

import { isProblem } from '../api/problem'
import { maySee, tasks } from '../tasks'
import { LoginForm, Prompts } from './login'
import { language, setLanguage } from './language'
import { hasLeft, useMe } from './me'
import { ProblemAlert } from './problems'
import { useShellTexts } from './texts'

// What is not needed to log in comes after it.
const Enrolment = lazy(() => import('./Enrolment'))
const Former = lazy(() => import('../tasks/former/Former'))
const Shell = lazy(() => import('./Shell').then((m) => ({ default: m.Shell })))

const client = new QueryClient({
  queryCache: new QueryCache(),
  mutationCache: new MutationCache(),
  defaultOptions: { queries: { retry: (count, error) => !isProblem(error) && count < 2, staleTime: 5_000 } },
})

// Who asked the system for less motion gets none.
const still = matchMedia('(prefers-reduced-motion: reduce)').matches

function Root() {
  const me = useMe()
  const t = useShellTexts()
  if (me.isPending) return <Skeleton active style={{ padding: 48 }} />
  if (me.data)
    return (
      <Suspense fallback={<Skeleton active style={{ padding: 48 }} />}>
        {hasLeft(me.data) ? <Former /> : <Shell me={me.data} />}
      </Suspense>
    )
  if (isProblem(me.error)) return <Entrance />
  return (
    <div className="entrance">
      <section>
        <h1>Lethe · {t('product')}</h1>
        <ProblemAlert error={me.error} retry={() => void me.refetch()} />
      </section>
    </div>
  )
}

function Entrance() {
  const t = useShellTexts()
  const [enrolling, setEnrolling] = useState(false)
  return (
    <main className="entrance">
      <section>
        <header>
          <h1>{enrolling ? t('enrol') : `Lethe · ${t('product')}`}</h1>
          <Button type="link" lang={language() === 'zh' ? 'en' : 'zh-CN'} onClick={() => setLanguage(language() === 'zh' ? 'en' : 'zh')}>
            {t('language')}
          </Button>
        </header>
        <Suspense fallback={<Skeleton active />}>{enrolling ? <Enrolment done={() => setEnrolling(false)} /> : <LoginForm done={() => undefined} />}</Suspense>
        <Button type="link" block style={{ marginTop: 12 }} onClick={() => setEnrolling(!enrolling)}>
          {enrolling ? t('toLogin') : t('firstTime')}
        </Button>
        <Link to="/former" className="leaver">
          {t('left')}
        </Link>
      </section>
    </main>
  )
}

function Apology({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <div className="apology">
      <h1>{title}</h1>
      <p>{hint}</p>
      {children}
    </div>
  )
}

/** A part of the console that did not come: each browser says it in its own words. */
const unloaded = (error: unknown) =>
  error instanceof Error && /dynamically imported module|importing a module script failed|unable to preload/i.test(error.message)

function Broken() {
  const t = useShellTexts()
  const error = useRouteError()
  console.error(error)
  if (unloaded(error)) {
    return (
      <Apology title={t('away')} hint={t('awayHint')}>
        <Button onClick={() => location.reload()}>{t('reloadAway')}</Button>
      </Apology>
    )
  }
  return (
    <Apology title={t('broken')} hint={t('brokenHint')}>
      <Button onClick={() => location.reload()}>{t('reload')}</Button>
    </Apology>
  )
}

function NotHere() {
  const t = useShellTexts()
  return (
    <Apology title={t('notFound')}>
      <Link to="/">{t('home')}</Link>
    </Apology>
  )
}

function Guarded({ task }: { task: (typeof tasks)[number] }) {
  const me = useMe()
  const Page = pages.get(task.path)!
  return maySee(task, me.data?.role) ? <Page /> : <NotHere />
}

const pages = new Map(tasks.map((task) => [task.path, lazy(task.page)]))

const router = createBrowserRouter(
  [
    {
      path: '/former',
      element: (
        <Suspense fallback={<Skeleton active style={{ padding: 48 }} />}>
          <Former />
        </Suspense>
      ),
      errorElement: <Broken />,
    },
    {
      element: <Root />,
      errorElement: <Broken />,
      children: [...tasks.map((task) => ({ path: `/${task.path}`, element: <Guarded task={task} />, errorElement: <Broken /> })), { path: '*', element: <NotHere /> }],
    },
  ],
  { basename: '/console' },
)

export function App() {
  const { i18n } = useTranslation()
  const zh = i18n.language !== 'en'
  dayjs.locale(zh ? 'zh-cn' : 'en')
  return (
    <ConfigProvider locale={zh ? zhCN : enUS} theme={{ token: { motion: !still, colorPrimary: '#1f6f69', controlItemBgActive: '#e3f0ee', colorLink: '#17625c', borderRadius: 6, colorTextSecondary: 'rgba(0,0,0,0.62)', colorTextDescription: 'rgba(0,0,0,0.62)', colorTextPlaceholder: 'rgba(0,0,0,0.56)', colorTextTertiary: 'rgba(0,0,0,0.6)', colorError: '#c5262c', controlItemBgActiveHover: '#d3e8e5', green7: '#237804', orange7: '#ad4e00', gold7: '#874d00' } }}>
      <AntApp>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
          <Prompts />
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  )
}
