import { GlobalOutlined, LogoutOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Layout, Skeleton, Space, Typography } from 'antd'
import { useEffect } from 'react'

import { api, ended, ok, type Schemas } from '../../api/client'
import { language, setLanguage } from '../../shell/language'
import { SessionEnding } from '../../shell/login'
import { hasLeft, useMe } from '../../shell/me'
import { Parts } from '../../shell/Parts'
import { instant } from '../../shell/times'
import { useShellTexts } from '../../shell/texts'
import { useWide } from '../../shell/wide'
import { OwnContacts } from '../contacts/Contacts'
import { Consents } from '../me/Consents'
import { Kept } from '../me/Kept'
import { Looks } from '../me/Looks'
import { Copy, OwnFile, useOwnFields } from '../me/Mine'
import { useTexts as useMeTexts } from '../me/texts'
import { MyRequests } from '../requests/Mine'
import { useTexts as useRequestTexts } from '../requests/texts'
import { Door } from './Door'
import { useTexts } from './texts'

/** For people who have left: by a mailed link to what the company keeps of them. Nothing else of the console is theirs. */
export default function Former() {
  const t = useTexts()
  const me = useMe()
  useEffect(() => {
    document.title = `${t('title')} · Lethe`
  }, [t])
  if (me.isPending) return <Skeleton active style={{ padding: 48 }} />
  return me.data && hasLeft(me.data) ? <Own me={me.data} /> : <Door />
}

function Own({ me }: { me: Schemas['Me'] }) {
  const t = useTexts()
  const shell = useShellTexts()
  const of = useMeTexts()
  const requests = useRequestTexts()
  const wide = useWide()
  const client = useQueryClient()
  const fields = useOwnFields(me.employee_id)
  const logout = async () => {
    await ok(api.DELETE('/api/v1/sessions/current')).catch(() => undefined)
    ended()
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'me' })
    await client.resetQueries({ queryKey: ['me'] })
  }
  return (
    <Layout style={{ minHeight: '100vh' }}>
      <a className="skip" href="#content">
        {shell('skip')}
      </a>
      <Layout.Header className="top">
        <Flex align="center" justify="space-between" gap={8} style={{ height: '100%' }}>
          <span className="brand">
            Lethe
            {wide && <span>{t('title')}</span>}
          </span>
          <Space size={0}>
            <Button type="text" className="on-dark" icon={<GlobalOutlined />} lang={language() === 'zh' ? 'en' : 'zh-CN'} onClick={() => { setLanguage(language() === 'zh' ? 'en' : 'zh'); void client.invalidateQueries() }}>
              {shell('language')}
            </Button>
            <Button type="text" className="on-dark" icon={<LogoutOutlined />} onClick={() => void logout()}>
              {t('logout')}
            </Button>
          </Space>
        </Flex>
      </Layout.Header>
      <Layout.Content id="content" tabIndex={-1} className="content" role="main" style={{ marginInline: 'auto', maxWidth: 960 }}>
        <h1>
          {t('title')} · {me.name}
        </h1>
        <Typography.Paragraph>
          {t('intro')} {me.session && <Typography.Text type="secondary">{t('until', { at: instant(me.session.expires_at) })}</Typography.Text>}
        </Typography.Paragraph>
        <Parts
          label={t('title')}
          items={[
            { key: 'data', label: t('data'), children: <Flex vertical gap={16}><Copy /><OwnFile id={me.employee_id} /><OwnContacts id={me.employee_id} /></Flex> },
            { key: 'looks', label: of('looks'), children: <Looks id={me.employee_id} /> },
            { key: 'kept', label: of('kept'), children: <Kept /> },
            { key: 'consents', label: of('consents'), children: <Consents /> },
            { key: 'requests', label: requests('mine'), children: <MyRequests fields={fields} /> },
          ]}
        />
      </Layout.Content>
      {me.session && <SessionEnding at={me.session.idle_expires_at} />}
    </Layout>
  )
}
