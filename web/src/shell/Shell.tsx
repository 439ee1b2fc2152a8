import { GlobalOutlined, LogoutOutlined, MenuOutlined, SearchOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Drawer, Dropdown, Flex, Layout, Menu, Skeleton, Space, Tag, Typography } from 'antd'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Link, matchPath, Outlet, useLocation, useNavigate } from 'react-router'

import { api, ended, ok, type Schemas } from '../api/client'
import { maySee, tasks, useTaskTexts, type Task } from '../tasks'
import { OpenCalls } from './Calls'
import { Finder } from './Finder'
import { hasTour } from './Heading'
import { language, setLanguage } from './language'
import { SessionEnding } from './login'
import { Person } from './person'
import { useShellTexts } from './texts'
import { useWide } from './wide'

const ConsentDialog = lazy(() => import('../tasks/me/ConsentDialog'))
const Tour = lazy(() => import('./Tour'))
const Feedback = lazy(() => import('./Feedback').then((m) => ({ default: m.Feedback })))

/** What is around every screen: the menu of one's tasks, the search, the language, the session. */
export function Shell({ me }: { me: Schemas['Me'] }) {
  const t = useShellTexts()
  const label = useTaskTexts()
  const wide = useWide()
  const here = useLocation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  const [finding, setFinding] = useState(false)
  const mine = tasks.filter((task) => task.menu === true && maySee(task, me.role))
  const nearest = (of: Task[]) => of.sort((a, b) => b.path.length - a.path.length).find((task) => here.pathname === `/${task.path}` || (task.path !== '' && here.pathname.startsWith(`/${task.path}/`)))
  const current = nearest(tasks.filter((task) => task.menu))
  const chosen = nearest(tasks.filter((task) => task.menu === true))

  const screen = tasks.find((task) => maySee(task, me.role) && matchPath(`/${task.path}`, here.pathname))

  useEffect(() => {
    document.title = current ? `${label(current.label)} · Lethe` : 'Lethe'
  }, [current, label])
  useEffect(() => setFinding(false), [here.pathname])
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setFinding(true)
      }
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])

  const logout = async () => {
    await ok(api.DELETE('/api/v1/sessions/current')).catch(() => undefined)
    ended()
    client.clear()
    await client.invalidateQueries({ queryKey: ['me'] })
  }

  const menu = (
    <nav aria-label={t('menu')}>
      <Menu
        mode="inline"
        selectedKeys={chosen ? [chosen.path] : []}
        items={mine.map((task) => ({
          key: task.path,
          icon: task.icon && <task.icon />,
          label: (
            <Link to={`/${task.path}`} onClick={() => setOpen(false)}>
              {label(task.label)}
            </Link>
          ),
        }))}
        style={{ borderInlineEnd: 0 }}
      />
    </nav>
  )
  return (
    <Layout style={{ minHeight: '100vh' }}>
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <Layout.Header className="top">
        <Flex align="center" justify="space-between" gap={8} style={{ height: '100%' }}>
          <Space>
            {!wide && <Button type="text" className="on-dark" aria-label={t('menu')} icon={<MenuOutlined />} onClick={() => setOpen(true)} />}
            <Link to="/" className="brand">
              Lethe
              {wide && <span>{t('product')}</span>}
            </Link>
          </Space>
          <Space size={wide ? 'small' : 0}>
            <Button type="text" className="on-dark" icon={<SearchOutlined />} onClick={() => setFinding(true)} aria-label={wide ? undefined : t('search')}>
              {wide && (
                <>
                  {t('search')} <kbd>{t('searchKeys')}</kbd>
                </>
              )}
            </Button>
            <Button type="text" className="on-dark" icon={<GlobalOutlined />} aria-label={t('language')} lang={language() === 'zh' ? 'en' : 'zh-CN'} onClick={() => { setLanguage(language() === 'zh' ? 'en' : 'zh'); void client.invalidateQueries() }}>
              {wide && t('language')}
            </Button>
            <Dropdown
              trigger={['click']}
              menu={{
                items: [
                  { key: 'who', disabled: true, label: `${me.name} · ${me.employee_no} · ${me.role_text}` },
                  { key: 'me', label: label('me'), onClick: () => void navigate('/me') },
                  { key: 'out', icon: <LogoutOutlined />, label: t('logout'), onClick: () => void logout() },
                ],
              }}
            >
              <Button type="text" className="on-dark" aria-label={`${me.name}, ${me.role_text}`}>
                {me.name} {wide && <Tag style={{ marginInlineStart: 6 }}>{me.role_text}</Tag>}
              </Button>
            </Dropdown>
          </Space>
        </Flex>
      </Layout.Header>
      <Layout hasSider={wide}>
        {wide && (
          <Layout.Sider theme="light" width={212} className="side">
            {menu}
          </Layout.Sider>
        )}
        <Drawer open={open && !wide} onClose={() => setOpen(false)} placement="left" size={260} title="Lethe" styles={{ body: { padding: 0 } }}>
          {menu}
        </Drawer>
        <Layout.Content id="content" tabIndex={-1} className="content" role="main">
          {me.role === 'hr_admin' && <OpenCalls />}
          <Notices of={me.notices} />
          <Suspense fallback={<Skeleton active />}>
            <Outlet />
          </Suspense>
          {screen && (
            <footer className="foot">
              <Suspense fallback={null}>
                <Feedback screen={screen.label} name={label(screen.label)} />
              </Suspense>
            </footer>
          )}
        </Layout.Content>
      </Layout>
      {(here.state as { tour?: boolean } | null)?.tour && hasTour(screen?.label) && (
        <Suspense fallback={null}>
          <Tour key={screen.path} of={screen.label} />
        </Suspense>
      )}
      <Finder open={finding} close={() => setFinding(false)} role={me.role} />
      {me.session && <SessionEnding at={me.session.idle_expires_at} />}
      {me.consents_to_answer.length > 0 && me.session && me.session.authenticated !== 'break_glass' && (
        <Suspense>
          <ConsentDialog key={me.session.created_at} me={me} />
        </Suspense>
      )}
    </Layout>
  )
}

/** What everybody must get to know, until it is acknowledged. */
function Notices({ of }: { of: Schemas['NoticeView'][] }) {
  const client = useQueryClient()
  return of.map((n) => (
    <Alert
      key={n.id}
      type="info"
      showIcon
      style={{ marginBottom: 12 }}
      title={<Typography.Text>{n.text} <Person of={n.person} /></Typography.Text>}
      closable={{
        onClose: () => void ok(api.POST('/api/v1/notices/{id}/acknowledgement', { params: { path: { id: n.id } } })).finally(() => void client.invalidateQueries({ queryKey: ['me'] })),
      }}
    />
  ))
}
