import { Button, Card, Empty, Flex, Skeleton, Space, Typography } from 'antd'
import { Link } from 'react-router'

import { api, ok } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { listed } from '../../shell/language'
import { usePages } from '../../shell/pages'
import { ProblemAlert } from '../../shell/problems'
import '../people/look.css'
import { useTexts } from './texts'

/** Whose emergency contacts have yet to be told that they were named. */
export default function Untold() {
  const t = useTexts()
  const people = usePages(['untold-contacts'], (cursor) => ok(api.GET('/api/v1/untold-contacts', { params: { query: { cursor, limit: 50 } } })))
  return (
    <div style={{ maxWidth: 900 }}>
      <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
      <Typography.Paragraph type="secondary">{t('intro')}</Typography.Paragraph>
      <ProblemAlert error={people.error} retry={() => void people.refetch()} />
      {people.isPending && <Skeleton active />}
      {people.data && (
        <Card size="small">
          {people.rows.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<>{t('none')}<br />{t('noneHint')}</>} />}
          <ul className="looks">
            {people.rows.map((p) => (
              <li key={p.employee_id}>
                <Flex justify="space-between" align="center" wrap gap={8}>
                  <Space wrap size={8}>
                    <Link to={`/people/${p.employee_id}`} className="tap">
                      {p.name}
                    </Link>
                    <Typography.Text type="secondary">{p.employee_no}</Typography.Text>
                    <span>{t('which', { which: listed(p.contacts.map(String)) })}</span>
                  </Space>
                  <Link to={`/people/${p.employee_id}#emergency_contact`} className="tap" aria-label={t('registerOf', { name: `${p.name} ${p.employee_no}` })}>
                    {t('register')}
                  </Link>
                </Flex>
              </li>
            ))}
          </ul>
          {people.hasNextPage && (
            <Button loading={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>
              {t('more')}
            </Button>
          )}
        </Card>
      )}
    </div>
  )
}
